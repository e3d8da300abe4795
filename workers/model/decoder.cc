#include "workers/model/decoder.h"

#include <algorithm>
#include <cmath>

#include "workers/kernels/elementwise.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kQueryTile = 128;  // rows of scores that are live at a time

}  // namespace

Decoder::Decoder(const ModelConfig& config, int64_t window, Compute compute)
    : config_(config), window_(window), compute_(compute), rope_(MakeRopeTable(config.rope, config.head_dim, window)) {}

Decoder::Scratch::Scratch(const Decoder& decoder) {
  const ModelConfig& c = decoder.config_;
  const int64_t rows = decoder.window_;
  const int64_t q = c.heads * c.head_dim;
  normed = Buffer<float>(rows * c.hidden);
  qkv = Buffer<float>(rows * (q + 2 * c.kv_heads * c.head_dim));
  attention = Buffer<float>(rows * q);
  scores = Buffer<float>(std::min(kQueryTile, rows) * rows);
  gate_up = Buffer<float>(rows * 2 * c.intermediate);
  if (decoder.compute_ == Compute::kBf16) {
    narrow = Buffer<uint16_t>(rows * std::max({c.hidden, q, c.intermediate}));
    product = Buffer<float>(rows * c.hidden);
  }
}

void Decoder::Product(const UnitWeights& unit, const float* x, int64_t stride, bool add, float* out,
                      Scratch& scratch) const {
  const int64_t rows = window_;
  if (compute_ == Compute::kF32) {
    GemmF32(false, true, rows, unit.out, unit.in, 1.0f, x, stride, unit.weight.data(), unit.in, add ? 1.0f : 0.0f, out,
            unit.out);
  } else {
    for (int64_t r = 0; r < rows; ++r) NarrowToBf16(x + r * stride, unit.in, scratch.narrow.data() + r * unit.in);
    float* to = add ? scratch.product.data() : out;
    GemmBf16(rows, unit.out, unit.in, scratch.narrow.data(), unit.in, unit.weight_bf16.data(), unit.in, to, unit.out);
    if (add) AddInto(out, to, rows * unit.out);
  }
  if (unit.bias.size() > 0) AddBias(out, unit.bias.data(), rows, unit.out);
}

void Decoder::Attend(int64_t window_limit, Scratch& scratch) const {
  const int64_t dim = config_.head_dim;
  const int64_t q_width = config_.heads * dim;
  const int64_t kv_width = config_.kv_heads * dim;
  const int64_t stride = q_width + 2 * kv_width;
  const int64_t sharing = config_.heads / config_.kv_heads;
  const float scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
  for (int64_t h = 0; h < config_.heads; ++h) {
    const float* q = scratch.qkv.data() + h * dim;
    const float* k = scratch.qkv.data() + q_width + h / sharing * dim;
    const float* v = k + kv_width;
    for (int64_t first = 0; first < window_; first += kQueryTile) {
      const int64_t rows = std::min(kQueryTile, window_ - first);
      const int64_t key_end = first + rows;
      const int64_t key_begin = window_limit > 0 ? std::max<int64_t>(first - window_limit + 1, 0) : 0;
      const int64_t keys = key_end - key_begin;
      GemmF32(false, true, rows, keys, dim, scale, q + first * stride, stride, k + key_begin * stride, stride, 0.0f,
              scratch.scores.data(), keys);
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t position = first + r;
        const int64_t begin = window_limit > 0 ? std::max<int64_t>(position - window_limit + 1, 0) - key_begin : 0;
        Softmax(scratch.scores.data() + r * keys, keys, begin, position + 1 - key_begin);
      }
      GemmF32(false, false, rows, dim, keys, 1.0f, scratch.scores.data(), keys, v + key_begin * stride, stride, 0.0f,
              scratch.attention.data() + first * q_width + h * dim, q_width);
    }
  }
}

void Decoder::RunBlock(const BlockWeights& block, float* x, Scratch& scratch, const TapFn& tap) const {
  const int64_t hidden = config_.hidden;
  const int64_t dim = config_.head_dim;
  const int64_t q_width = config_.heads * dim;
  const int64_t stride = q_width + 2 * config_.kv_heads * dim;
  const float eps = static_cast<float>(config_.norm_eps);
  float* normed = scratch.normed.data();
  float* qkv = scratch.qkv.data();

  RmsNorm(x, block.attention_norm.data(), eps, window_, hidden, hidden, normed);
  if (tap) tap(TapPoint::kAttention, normed, window_, hidden, hidden);
  Product(block.units[0], normed, hidden, false, qkv, scratch);
  if (block.q_norm.size() > 0) {
    for (int64_t r = 0; r < window_; ++r) {
      float* row = qkv + r * stride;
      RmsNorm(row, block.q_norm.data(), eps, config_.heads, dim, dim, row);
      RmsNorm(row + q_width, block.k_norm.data(), eps, config_.kv_heads, dim, dim, row + q_width);
    }
  }
  ApplyRope(qkv, window_, stride, config_.heads + config_.kv_heads, dim, rope_.cos.data(), rope_.sin.data());
  Attend(block.window, scratch);
  if (tap) tap(TapPoint::kOutput, scratch.attention.data(), window_, q_width, q_width);
  Product(block.units[1], scratch.attention.data(), q_width, true, x, scratch);

  RmsNorm(x, block.mlp_norm.data(), eps, window_, hidden, hidden, normed);
  if (tap) tap(TapPoint::kMlp, normed, window_, hidden, hidden);
  float* gate_up = scratch.gate_up.data();
  const int64_t inner = config_.intermediate;
  Product(block.units[2], normed, hidden, false, gate_up, scratch);
  for (int64_t r = 0; r < window_; ++r) SiluMul(gate_up + r * 2 * inner, gate_up + r * 2 * inner + inner, inner);
  if (tap) tap(TapPoint::kDown, gate_up, window_, inner, 2 * inner);
  Product(block.units[3], gate_up, 2 * inner, true, x, scratch);
}

void Decoder::FinalNorm(const float* weight, const float* x, float* out) const {
  RmsNorm(x, weight, static_cast<float>(config_.norm_eps), window_, config_.hidden, config_.hidden, out);
}

}  // namespace bitwright::worker
