#include "workers/model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bitwright::worker {
namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

// Llama 3.1: long wavelengths are stretched by the factor, short ones kept, those between blended.
double Llama3Frequency(const RopeConfig& rope, double frequency) {
  const double wavelength = kTwoPi / frequency;
  if (wavelength > rope.original_max_positions / rope.low_freq_factor) return frequency / rope.factor;
  if (wavelength < rope.original_max_positions / rope.high_freq_factor) return frequency;
  const double smooth = (rope.original_max_positions / wavelength - rope.low_freq_factor) /
                        (rope.high_freq_factor - rope.low_freq_factor);
  return (1 - smooth) * frequency / rope.factor + smooth * frequency;
}

// YaRN (arXiv 2309.00071): dimension at which a number of rotations over the original context is made.
double CorrectionDimension(const RopeConfig& rope, double head_dim, double rotations) {
  return head_dim * std::log(rope.original_max_positions / (rotations * kTwoPi)) / (2 * std::log(rope.theta));
}

double YarnFrequency(const RopeConfig& rope, double head_dim, int64_t pair, double frequency) {
  double low = CorrectionDimension(rope, head_dim, rope.beta_fast);
  double high = CorrectionDimension(rope, head_dim, rope.beta_slow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, head_dim - 1);
  if (low == high) high += 0.001;
  const double interpolated = std::clamp((static_cast<double>(pair) - low) / (high - low), 0.0, 1.0);
  return frequency / rope.factor * interpolated + frequency * (1 - interpolated);
}

double YarnScale(double factor, double mscale) { return factor <= 1 ? 1 : 0.1 * mscale * std::log(factor) + 1; }

// Dynamic NTK: the base grows with the window beyond the longest one that the model was made for.
double DynamicTheta(const RopeConfig& rope, double rotary, double positions) {
  const double stretch = std::max(positions, rope.max_positions) / rope.max_positions;
  return rope.theta * std::pow(rope.factor * stretch - (rope.factor - 1), rotary / (rotary - 2));
}

double Frequency(const RopeConfig& rope, double rotary, int64_t pair, int64_t positions) {
  const auto power = [&](double theta) { return std::pow(theta, -2.0 * static_cast<double>(pair) / rotary); };
  const double plain = power(rope.theta);
  switch (rope.kind) {
    case RopeConfig::Kind::kDefault:
      return plain;
    case RopeConfig::Kind::kLinear:
      return plain / rope.factor;
    case RopeConfig::Kind::kDynamic:
      return power(DynamicTheta(rope, rotary, static_cast<double>(positions)));
    case RopeConfig::Kind::kLlama3:
      return Llama3Frequency(rope, plain);
    case RopeConfig::Kind::kYarn:
      return YarnFrequency(rope, rotary, pair, plain);
    case RopeConfig::Kind::kLongRope: {
      const bool is_long = static_cast<double>(positions) > rope.original_max_positions;
      return plain / (is_long ? rope.long_factor : rope.short_factor)[static_cast<size_t>(pair)];
    }
  }
  return plain;
}

}  // namespace

double RopeFactor(const RopeConfig& rope) {
  const bool is_long = rope.kind == RopeConfig::Kind::kLongRope;
  if (!is_long && rope.kind != RopeConfig::Kind::kYarn) return 1;
  if (rope.attention_factor) return *rope.attention_factor;
  if (is_long) {
    return rope.factor <= 1 ? 1 : std::sqrt(1 + std::log(rope.factor) / std::log(rope.original_max_positions));
  }
  if (rope.mscale > 0 && rope.mscale_all_dim > 0) {
    return YarnScale(rope.factor, rope.mscale) / YarnScale(rope.factor, rope.mscale_all_dim);
  }
  return YarnScale(rope.factor, 1);
}

std::vector<float> RopeFrequencies(const RopeConfig& rope, int64_t rotary, int64_t positions) {
  // The library holds frequencies and angles in f32; rounding at the same places keeps long positions in step.
  std::vector<float> frequencies;
  for (int64_t i = 0; i < rotary / 2; ++i) {
    frequencies.push_back(static_cast<float>(Frequency(rope, static_cast<double>(rotary), i, positions)));
  }
  return frequencies;
}

RopeTable MakeRopeTable(const RopeConfig& rope, int64_t rotary, int64_t positions) {
  const int64_t half = rotary / 2;
  const double factor = RopeFactor(rope);
  const std::vector<float> frequencies = RopeFrequencies(rope, rotary, positions);
  RopeTable table;
  table.cos.resize(static_cast<size_t>(positions * half));
  table.sin.resize(table.cos.size());
  for (int64_t i = 0; i < half; ++i) {
    const float frequency = frequencies[static_cast<size_t>(i)];
    for (int64_t p = 0; p < positions; ++p) {
      const double angle = static_cast<double>(static_cast<float>(p) * frequency);
      table.cos[static_cast<size_t>(p * half + i)] = static_cast<float>(std::cos(angle) * factor);
      table.sin[static_cast<size_t>(p * half + i)] = static_cast<float>(std::sin(angle) * factor);
    }
  }
  return table;
}

}  // namespace bitwright::worker
