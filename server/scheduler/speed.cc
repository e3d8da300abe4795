#include "server/scheduler/speed.h"

namespace bitwright::server {
namespace {

constexpr double kMeasurableFlops = 1e10;
// Of a worker's core, until a task has been measured.
constexpr double kAssumedFlopsPerCore = 80e9;
constexpr double kAssumedCores = 4;

}  // namespace

void Speed::Measure(const std::string& kind, double flops, double seconds) {
  if (flops <= kMeasurableFlops || seconds <= 0) return;
  for (Sum* sum : {&all_, &by_kind_[kind]}) {
    sum->flops += flops;
    sum->seconds += seconds;
  }
}

double Speed::Seconds(const std::string& kind, double flops) const {
  const auto own = by_kind_.find(kind);
  const Sum& sum = own == by_kind_.end() ? all_ : own->second;
  return flops * sum.seconds / sum.flops;
}

double Speed::FlopsPerSecond(const Fleet& fleet) const {
  if (measured()) return all_.flops / all_.seconds;
  const double cores = fleet.CoresOfLargestSlot();
  return kAssumedFlopsPerCore * (cores > 0 ? cores : kAssumedCores);
}

}  // namespace bitwright::server
