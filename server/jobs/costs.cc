#include "server/jobs/costs.h"

#include <algorithm>

namespace bitwright::server {
namespace {

constexpr int64_t kGiB = int64_t{1} << 30;
constexpr int kWindowsInFlight = 16;
constexpr int64_t kLogitsTileRows = 64;  // rows of logits that evaluate holds at a time, for either model

// Saturates: estimates of absurd sizes must not wrap.
int64_t ToBytes(double bytes) { return static_cast<int64_t>(std::min(bytes, 9e18)); }

}  // namespace

Costs::Costs(const v1::ModelInfo& info, const v1::Recipe& recipe, int window)
    : info_(info), recipe_(recipe), window_(window), rounding_(info.blocks()), units_(info.blocks()) {
  for (const v1::UnitInfo& unit : info.units()) {
    if (unit.block() < 0 || unit.block() >= info.blocks()) continue;
    rounding_[unit.block()] += Rounding(unit, unit.options_size());
    ++units_[unit.block()];
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
    flops += recipe_.rounding().method() == v1::ROUNDING_METHOD_RTN ? formats * 64 * out * in
                                                                    : formats * out * in * in + in * in * in / 3;
  }
  return flops;
}

double Costs::ReferenceFlops(int windows) const { return info_.blocks() * Forward(Rows(windows)); }

double Costs::CalibrateFlops(Cut blocks, int windows) const {
  const double rows = Rows(windows);
  return blocks.size() *
         (Forward(rows) + rows * static_cast<double>(info_.statistics_bytes()) / std::max(1, info_.blocks()));
}

double Costs::MergeFlops(Cut blocks, int shards) const {
  return static_cast<double>(shards) * info_.statistics_bytes() / 4 * blocks.size() / std::max(1, info_.blocks());
}

double Costs::ProfileFlops(Cut blocks, int windows) const {
  const double rows = Rows(windows);
  const int measured = 1 + recipe_.sensitivity().checked_bits_size();
  double flops = blocks.begin * Forward(rows) + Head(rows);
  for (int block = blocks.begin; block < blocks.end; ++block) {
    const double pass = (info_.blocks() - block) * Forward(rows) + Head(rows);
    flops += Forward(rows) + rounding_[block] + units_[block] * measured * pass;
  }
  return flops;
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

int64_t Costs::Live(int64_t streams, int windows, int64_t moments) const {
  const double hidden = info_.hidden_size();
  const double blocks = 2 * 4.0 * info_.block_parameters();
  const double stream = 4 * Rows(windows) * hidden;
  const double piece = 4 * Rows(std::min(windows, kWindowsInFlight)) * (8 * hidden + 3.0 * info_.intermediate_size());
  const double moment = static_cast<double>(info_.statistics_bytes()) / std::max(1, info_.blocks());
  return ToBytes(kGiB + blocks + streams * stream + piece + moments * moment);
}

int64_t Costs::ReferenceBytes(int windows) const { return Live(2, windows, 0); }
int64_t Costs::CalibrateBytes(int windows) const { return Live(2, windows, 3); }
int64_t Costs::ProfileBytes(int windows) const { return Live(3, windows, 3); }
int64_t Costs::QuantizeBytes() const { return Live(0, 0, 6); }

int64_t Costs::MergeBytes() const {
  return ToBytes(kGiB + 3.0 * info_.statistics_bytes() / std::max(1, info_.blocks()));
}

int64_t Costs::EvaluateBytes(int windows) const {
  const double logits = 2.0 * 4 * kLogitsTileRows * static_cast<double>(info_.vocab_size());
  return ToBytes(Live(2, windows, 0) + logits);
}

int64_t Costs::SmallBytes() { return kGiB; }

}  // namespace bitwright::server
