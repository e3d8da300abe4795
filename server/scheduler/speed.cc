#include "server/scheduler/speed.h"

namespace bitwright::server {
namespace {

constexpr double kMeasurableFlops = 1e10;
// Of a worker's core, until a task has been measured.
constexpr double kAssumedFlopsPerCore = 80e9;
constexpr double kAssumedCores = 4;

}  // namespace

void Speed::Measure(double flops, double seconds) {
  if (flops <= kMeasurableFlops || seconds <= 0) return;
  flops_ += flops;
  seconds_ += seconds;
}

double Speed::FlopsPerSecond(const Fleet& fleet) const {
  if (seconds_ > 0) return flops_ / seconds_;
  const double cores = fleet.CoresOfLargestSlot();
  return kAssumedFlopsPerCore * (cores > 0 ? cores : kAssumedCores);
}

}  // namespace bitwright::server
