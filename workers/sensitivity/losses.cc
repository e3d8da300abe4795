#include "workers/sensitivity/losses.h"

#include <cstdlib>
#include <map>
#include <tuple>

namespace bitwright::worker {

double WidthCheck::Factor() const { return measured > 0 && predicted > 0 ? measured / predicted : 0; }

std::vector<WidthCheck> SumByWidth(std::span<const LossCheck> checks) {
  std::map<int, WidthCheck> by_width;
  for (const LossCheck& check : checks) {
    WidthCheck& width = by_width[check.bits];
    width.bits = check.bits;
    ++width.units;
    width.measured += check.measured;
    width.predicted += check.predicted;
  }
  std::vector<WidthCheck> widths;
  widths.reserve(by_width.size());
  for (const auto& [bits, width] : by_width) widths.push_back(width);
  return widths;
}

double FactorOf(int bits, std::span<const WidthCheck> widths) {
  const WidthCheck* best = nullptr;
  const auto rank = [&](const WidthCheck& width) { return std::tuple(std::abs(width.bits - bits), -width.bits); };
  for (const WidthCheck& width : widths) {
    if (width.Factor() > 0 && (best == nullptr || rank(width) < rank(*best))) best = &width;
  }
  return best == nullptr ? 1 : best->Factor();
}

}  // namespace bitwright::worker
