#include "server/scheduler/unplaceable.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "proto/contract/compute_class.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(500);

// The first ready task that none of the offers may run; null: none.
const LiveTask* Unplaceable(const Owner& owner, const std::vector<Offer>& offers) {
  for (const LiveTask& task : owner.tasks) {
    if (task.row.state != TaskState::kReady || !task.blocked_on.empty()) continue;
    if (!AnyFits(offers, NeedsNow(owner, task))) return &task;
  }
  return nullptr;
}

// Whether more memory would do.
bool IsTooLarge(const LiveTask& task, const std::vector<Offer>& offers, Requirements needs) {
  needs.memory = {};
  return AnyFits(offers, needs) && task.node.memory != LiveSet();
}

// By the largest worker of those on which memory alone is missing: its device's, or the host's.
absl::Status TooLarge(const LiveTask& task, const Requirements& needs, const std::vector<Offer>& offers) {
  const Offer* largest = nullptr;
  for (const Offer& offer : offers) {
    Requirements without = needs;
    without.memory = {};
    if (!offer.Fits(without)) continue;
    if (largest == nullptr || largest->memory_bytes < offer.memory_bytes) largest = &offer;
  }
  const bool has_device = needs.numeric && largest->device_memory_bytes > 0;
  const int64_t on_device = task.node.memory.On(1);
  if (has_device && on_device > largest->device_memory_bytes) {
    return TaskTooLargeError(task.node.key, on_device, largest->device_memory_bytes, MemoryOf::kDevice);
  }
  return TaskTooLargeError(task.node.key, needs.HostBytes(largest->threads, has_device), largest->memory_bytes,
                           MemoryOf::kHost);
}

// Whether its job asks for a device of which no worker is there. A pool of such workers may be started when they are
// asked for, and nothing of the job has begun on others: it waits, as a job does where there are no workers at all.
bool AwaitsDevice(const Owner& owner, const LiveTask& task, const std::vector<Offer>& offers) {
  const std::string device = NeedsOf(owner, task).device;
  return !device.empty() && std::none_of(offers.begin(), offers.end(), [&](const Offer& offer) {
    return DeviceOfClass(offer.compute_class) == device;
  });
}

absl::Status WhyNot(const Owner& owner, const LiveTask& task, const std::vector<Offer>& offers) {
  const Requirements needs = NeedsOf(owner, task);
  if (!IsTooLarge(task, offers, needs)) return PinUnmatchedError(needs.compute_class, needs.code_version);
  return TooLarge(task, needs, offers);
}

}  // namespace

void FailUnplaceable(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  if (now - core.unplaceable_checked < kPause) return;
  core.unplaceable_checked = now;
  const std::vector<Offer> offers = core.executor.Offers(now);
  if (offers.empty()) return core.window.SetAside(0);
  std::vector<std::pair<Owner*, absl::Status>> failures;
  size_t aside = 0;
  for (const auto& [name, owner] : core.board.owners()) {
    const LiveTask* task = owner->AnyLeased() || owner->closing ? nullptr : Unplaceable(*owner, offers);
    if (task == nullptr) {
      owner->unplaceable_since.reset();
    } else if (!owner->unplaceable_since || AwaitsDevice(*owner, *task, offers)) {
      owner->unplaceable_since = now;
    } else if (now - *owner->unplaceable_since >= core.options.patience && !owner->stuck) {
      failures.emplace_back(owner.get(), WhyNot(*owner, *task, offers));
    }
    const JobWork* job = owner->job();
    if (owner->unplaceable_since && job != nullptr && job->job.state() == v1::Job::QUEUED) ++aside;
  }
  core.window.SetAside(aside);
  for (const auto& [owner, error] : failures) FailOwner(core, *owner, error);
}

}  // namespace bitwright::server
