#include "server/jobs/costs.h"

#include <algorithm>
#include <numeric>

#include "proto/contract/memory_cuts.h"

namespace bitwright::server {
namespace {

// Of rounding in a check: as a target's for the result (TargetInfo.rounding_passes of those with integers), and once
// more for the price.
constexpr double kCheckPasses = 13;

}  // namespace

Costs::Costs(const v1::ModelInfo& info, const v1::TargetInfo& target, const v1::Recipe& recipe, int window)
    : info_(info), target_(target), recipe_(recipe), window_(window), rounding_(info.blocks()) {
  for (int u = 0; u < target.units_size(); ++u) {
    const v1::UnitInfo& unit = info.units(u);
    if (unit.block() < 0 || unit.block() >= info.blocks()) continue;
    rounding_[unit.block()] += target.pricing_passes() * Rounding(unit, target.units(u).options_size());
  }
}

double Costs::Forward(double rows) const {
  return 2 * rows *
         (static_cast<double>(info_.block_parameters()) + static_cast<double>(window_) * info_.hidden_size());
}

double Costs::Head(double rows) const { return 2 * rows * static_cast<double>(info_.head_parameters()); }

double Costs::Rounding(const v1::UnitInfo& unit, int formats) const {
  if (unit.linears().empty()) return 0;
  const bool rtn = recipe_.rounding().method() == v1::ROUNDING_METHOD_RTN;
  double flops = 0;
  for (const auto& linear : unit.linears()) {
    const double out = linear.out_features();
    const double in = linear.in_features();
    flops += rtn ? formats * out * in * (64 + 2 * in) : formats * out * in * in;
  }
  return flops;
}

double Costs::FactorFlops(Cut blocks) const {
  double flops = 0;
  for (const v1::UnitInfo& unit : info_.units()) {
    if (unit.block() < blocks.begin || unit.block() >= blocks.end || unit.linears().empty()) continue;
    const double in = unit.linears(0).in_features();
    const int inputs = unit.tie().empty() ? 1 : unit.linears_size();  // experts have inputs of their own
    flops += inputs * in * in * in / 3;
  }
  return flops;
}

double Costs::ReferenceFlops(Cut blocks, int windows) const { return blocks.size() * Forward(Rows(windows)); }

double Costs::CalibrateFlops(Cut blocks, int windows, bool factorizes) const {
  const double rows = Rows(windows);
  const double moments = rows * static_cast<double>(info_.statistics_bytes()) / std::max(1, info_.blocks());
  return blocks.size() * (Forward(rows) + moments) + (factorizes ? FactorFlops(blocks) : 0);
}

double Costs::MergeFlops(Cut blocks, int shards) const {
  const bool rtn = recipe_.rounding().method() == v1::ROUNDING_METHOD_RTN;
  const double sums = static_cast<double>(shards) * info_.statistics_bytes() / 4 * blocks.size();
  return sums / std::max(1, info_.blocks()) + (rtn ? 0 : FactorFlops(blocks));
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
    flops += Measurements() * pass + kCheckPasses * Rounding(info_.units(unit), Measurements());
  }
  return flops + (last - blocks.begin) * Forward(rows);
}

double Costs::QuantizeFlops(Cut blocks, int plans) const {
  double flops = 0;
  for (const v1::UnitInfo& unit : info_.units()) {
    if (unit.block() >= blocks.begin && unit.block() < blocks.end)
      flops += target_.rounding_passes() * Rounding(unit, plans);
  }
  return flops;
}

double Costs::ProfileEndsFlops() const {
  double flops = 0;
  for (int u = 0; u < target_.units_size(); ++u) {
    const v1::UnitInfo& unit = info_.units(u);
    if (unit.block() >= 0) continue;
    const double rows = std::min<double>(static_cast<double>(info_.vocab_size()), kEndRows);
    const double width = static_cast<double>(info_.hidden_size());
    // Besides rounding, a product with H for each of the two metrics.
    flops += target_.units(u).options_size() * (target_.pricing_passes() + 4) * rows * width * width;
  }
  return flops;
}

double Costs::QuantizeEndsFlops(int plans) const {
  double flops = 0;
  for (int u = 0; u < target_.units_size(); ++u) {
    if (info_.units(u).block() < 0) flops += target_.rounding_passes() * Rounding(info_.units(u), plans);
  }
  return flops;
}

double Costs::ScoreFlops(int sequences, int window) const {
  const double rows = static_cast<double>(sequences) * window;
  const double block = 2 * rows *
                           (static_cast<double>(info_.block_parameters()) +
                            static_cast<double>(window) * static_cast<double>(info_.hidden_size())) +
                       static_cast<double>(info_.block_parameters());
  return info_.blocks() * block + Head(rows);
}

double Costs::SampleFlops(int tokens, int window) const { return tokens * ScoreFlops(1, window); }

double Costs::EvaluateFlops(int windows) const {
  const double rows = Rows(windows);
  return info_.blocks() * (Forward(rows) + static_cast<double>(info_.block_parameters())) + 2 * Head(rows);
}

}  // namespace bitwright::server
