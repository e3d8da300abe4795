#include "server/scheduler/completion.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "proto/contract/compute_class.h"

namespace bitwright::server {
namespace {

// What an unfinished job shows at most.
constexpr double kAlmost = 0.999;

}  // namespace

void RaiseProgress(Owner& owner) {
  JobWork* job = owner.job();
  if (job == nullptr || job->forecast.total <= 0) return;
  job->job.set_progress(std::max(job->job.progress(), std::min(owner.tally.done() / job->forecast.total, kAlmost)));
}

std::optional<absl::Duration> Remaining(const Core& core, const Owner& owner) {
  const JobWork& job = *owner.job();
  const std::string_view device = DeviceOfClass(job.row.pinned_class.empty() ? job.chosen_class : job.row.pinned_class);
  if (job.job.state() != v1::Job::RUNNING || !core.speed.measured(device)) return std::nullopt;
  std::map<std::string, double> left = job.forecast.weights;
  for (const Tally::Kind& kind : owner.tally.kinds()) left[kind.kind] -= kind.done;
  double seconds = 0;
  for (const auto& [kind, weight] : left) seconds += core.speed.Seconds(device, kind, std::max(0.0, weight));
  const auto side_by_side =
      static_cast<int>(owner.tally.count(TaskState::kLeased) + owner.tally.count(TaskState::kReady));
  int places = 0;
  for (const Offer& offer : core.executor.Offers(core.clock.Monotonic())) {
    if (!offer.closed && DeviceOfClass(offer.compute_class) == device) places += offer.places;
  }
  return absl::Seconds(seconds / std::clamp(side_by_side, 1, std::max(1, places)));
}

}  // namespace bitwright::server
