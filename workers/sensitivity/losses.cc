#include "workers/sensitivity/losses.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace bitwright::worker {
namespace {

// Of what no measurement has said anything.
constexpr double kUnknownAlpha = 1;

double AlphaFor(int bits, int middle_bits, const UnitSensitivity& unit) {
  const UnitSensitivity::Measurement* best = nullptr;
  // Smaller is better: the width itself, the middle one, the nearest one.
  const auto rank = [&](const UnitSensitivity::Measurement& m) {
    return std::tuple(m.format.bits != bits, m.format.bits != middle_bits, std::abs(m.format.bits - bits));
  };
  for (const auto& measurement : unit.measurements) {
    if (measurement.proxy <= 0) continue;
    if (best == nullptr || rank(measurement) < rank(*best)) best = &measurement;
  }
  return best == nullptr ? kUnknownAlpha : best->alpha;
}

}  // namespace

double AlphaOf(double kl, double proxy) { return proxy > 0 ? kl / proxy : 0; }

void FillLosses(int middle_bits, UnitSensitivity& unit) {
  for (auto& format : unit.formats) {
    format.loss = AlphaFor(format.format.bits, middle_bits, unit) * std::max(format.proxy, 0.0);
    format.measured = std::any_of(unit.measurements.begin(), unit.measurements.end(),
                                  [&](const auto& measurement) { return measurement.format == format.format; });
  }
}

}  // namespace bitwright::worker
