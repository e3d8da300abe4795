#include "server/scheduler/speed.h"

#include <algorithm>

#include "proto/contract/devices.h"

namespace bitwright::server {
namespace {

constexpr double kMeasurableFlops = 1e10;
// Until a task has been measured: of a worker's core, and of a graphics processor, f32 as in most steps.
constexpr double kAssumedFlopsPerCore = 80e9;
constexpr double kAssumedCores = 4;
constexpr double kAssumedFlopsPerCard = 10e12;

bool HasCard(const Fleet& fleet) {
  return std::any_of(fleet.members().begin(), fleet.members().end(),
                     [](const auto& entry) { return entry.second.capacity.device() == DeviceKind::kCuda; });
}

}  // namespace

void Speed::Measure(std::string_view device, const std::string& kind, double flops, double seconds) {
  if (flops <= kMeasurableFlops || seconds <= 0) return;
  OfDevice& of = devices_[std::string(device)];
  for (Sum* sum : {&of.all, &of.by_kind[kind]}) {
    sum->flops += flops;
    sum->seconds += seconds;
  }
}

bool Speed::measured(std::string_view device) const { return devices_.contains(device); }

double Speed::Seconds(std::string_view device, const std::string& kind, double flops) const {
  const OfDevice& of = devices_.find(device)->second;
  const auto own = of.by_kind.find(kind);
  const Sum& sum = own == of.by_kind.end() ? of.all : own->second;
  return flops * sum.seconds / sum.flops;
}

double Speed::FlopsPerSecond(const Fleet& fleet, std::string_view device) const {
  if (device.empty()) device = HasCard(fleet) ? DeviceKind::kCuda : DeviceKind::kCpu;
  if (const auto of = devices_.find(device); of != devices_.end()) return of->second.all.flops / of->second.all.seconds;
  if (device == DeviceKind::kCuda) return kAssumedFlopsPerCard;
  const double cores = fleet.CoresOfLargestSlot();
  return kAssumedFlopsPerCore * (cores > 0 ? cores : kAssumedCores);
}

}  // namespace bitwright::server
