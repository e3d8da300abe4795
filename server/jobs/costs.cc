#include "server/jobs/costs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bitwright::server {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;
constexpr int kWindowsInFlight = 16;
constexpr double kKeptStreamBytes = kGiB;  // of activations that curvature keeps for the way back
constexpr int64_t kLogitsTileRows = 64;    // rows of logits that evaluate holds at a time, for either model

// Saturates: estimates of absurd sizes must not wrap.
int64_t ToBytes(double bytes) { return static_cast<int64_t>(std::min(bytes, 9e18)); }

}  // namespace

Costs::Costs(const v1::ModelInfo& info, const v1::Recipe& recipe, int window)
    : info_(info), recipe_(recipe), window_(window), rounding_(info.blocks()) {
  for (const v1::UnitInfo& unit : info.units()) {
    if (unit.block() < 0 || unit.block() >= info.blocks()) continue;
    rounding_[unit.block()] += Rounding(unit, unit.options_size());
  }
}

double Costs::Forward(double rows) const {
  return 2 * rows *
         (static_cast<double>(info_.block_parameters()) + static_cast<double>(window_) * info_.hidden_size());
}

double Costs::Head(double rows) const { return 2 * rows * static_cast<double>(info_.head_parameters()); }

double Costs::Rounding(const v1::UnitInfo& unit, int formats) const {
  double flops = 0;
  for (const auto& linear : unit.linears()) {
    const double out = linear.out_features();
    const double in = linear.in_features();
    flops += recipe_.rounding().method() == v1::ROUNDING_METHOD_RTN ? formats * out * in * (64 + 2 * in)
                                                                    : formats * out * in * in + in * in * in / 3;
  }
  return flops;
}

double Costs::ReferenceFlops(Cut blocks, int windows) const { return blocks.size() * Forward(Rows(windows)); }

double Costs::CalibrateFlops(Cut blocks, int windows) const {
  const double rows = Rows(windows);
  return blocks.size() *
         (Forward(rows) + rows * static_cast<double>(info_.statistics_bytes()) / std::max(1, info_.blocks()));
}

double Costs::MergeFlops(Cut blocks, int shards) const {
  return static_cast<double>(shards) * info_.statistics_bytes() / 4 * blocks.size() / std::max(1, info_.blocks());
}

double Costs::CurvatureFlops(Cut blocks, int windows) const {
  const double rows = Rows(windows);
  return 4 * blocks.size() * Forward(rows) + (blocks.end == info_.blocks() ? 3 * Head(rows) : 0);
}

double Costs::ProfileFlops(Cut blocks) const {
  return std::accumulate(rounding_.begin() + blocks.begin, rounding_.begin() + blocks.end, 0.0);
}

double Costs::CheckFlops(Cut blocks, const std::vector<int>& units, int windows) const {
  const double rows = Rows(windows);
  double flops = Head(rows);
  int last = blocks.begin;
  for (const int unit : units) {
    last = info_.units(unit).block();
    const double pass = (info_.blocks() - last) * Forward(rows) + Head(rows);
    flops += Measurements() * pass + Rounding(info_.units(unit), Measurements());
  }
  return flops + (last - blocks.begin) * Forward(rows);
}

double Costs::QuantizeFlops(Cut blocks) const {
  double flops = 0;
  for (const v1::UnitInfo& unit : info_.units()) {
    if (unit.block() >= blocks.begin && unit.block() < blocks.end) flops += Rounding(unit, 1);
  }
  return flops;
}

double Costs::EvaluateFlops(int windows) const {
  const double rows = Rows(windows);
  return info_.blocks() * (Forward(rows) + static_cast<double>(info_.block_parameters())) + 2 * Head(rows);
}

double Costs::Live(double streams, int windows, int64_t moments, int64_t pieces) const {
  const double hidden = info_.hidden_size();
  const double blocks = 2 * 4.0 * info_.block_parameters();
  const double piece = 4 * Rows(std::min(windows, kWindowsInFlight)) * (8 * hidden + 3.0 * info_.intermediate_size());
  const double moment = static_cast<double>(info_.statistics_bytes()) / std::max(1, info_.blocks());
  return kGiB + blocks + streams * Stream(windows) + pieces * piece + moments * moment;
}

double Costs::LogitTiles() const { return 2.0 * 4 * kLogitsTileRows * static_cast<double>(info_.vocab_size()); }

int64_t Costs::ReferenceBytes(int windows) const { return ToBytes(Live(2, windows, 0)); }
int64_t Costs::CalibrateBytes(int windows) const { return ToBytes(Live(2, windows, 3)); }
int64_t Costs::ProfileBytes() const { return QuantizeBytes(); }
int64_t Costs::QuantizeBytes() const { return ToBytes(Live(0, 0, 6)); }

int64_t Costs::CurvatureBytes(Cut blocks, int windows) const {
  const double count = blocks.size();
  const double kept = count * Stream(windows) <= kKeptStreamBytes ? count : 2 * std::ceil(std::sqrt(count));
  return ToBytes(Live(4 + kept, windows, 0, /*pieces=*/4) + LogitTiles());
}

int64_t Costs::CheckStreamBytes(const std::vector<int>& units, int windows) const {
  return ToBytes(static_cast<double>(units.size()) * Measurements() * Stream(windows));
}

int64_t Costs::CheckBytes(const std::vector<int>& units, int windows) const {
  return ToBytes(Live(3, windows, 6) + LogitTiles() + static_cast<double>(CheckStreamBytes(units, windows)));
}

int64_t Costs::MergeBytes() const {
  return ToBytes(kGiB + 3.0 * info_.statistics_bytes() / std::max(1, info_.blocks()));
}

int64_t Costs::EvaluateBytes(int windows) const { return ToBytes(Live(2, windows, 0) + LogitTiles()); }

int64_t Costs::SmallBytes() { return kGiB; }

}  // namespace bitwright::server
