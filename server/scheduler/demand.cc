#include "server/scheduler/demand.h"

#include <algorithm>
#include <map>
#include <vector>

#include "proto/contract/compute_class.h"
#include "proto/contract/devices.h"
#include "server/scheduler/core.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(500);

// Whether workers of the pool take tasks of a compute class; empty: none is settled, but maybe the device.
bool Takes(const WorkerPool& pool, const std::string& compute_class, std::string_view device = {}) {
  if (compute_class.empty() && device.empty()) return pool.counts_unpinned;
  if (compute_class.empty()) return device == pool.device && (pool.compute_class.empty() || pool.counts_unpinned);
  return DeviceOfClass(compute_class) == pool.device &&
         (pool.compute_class.empty() || pool.compute_class == compute_class);
}

// The compute class that the owner's tasks are made for; empty: none, or one of which no worker is there, so that
// another may be chosen.
std::string ClassOf(const Owner& owner, const std::vector<Offer>& offers) {
  const JobWork* job = owner.job();
  if (job == nullptr) return "";
  if (!job->row.pinned_class.empty()) return job->row.pinned_class;
  const bool there = std::any_of(offers.begin(), offers.end(), [&](const Offer& offer) {
    return !offer.closed && offer.compute_class == job->chosen_class;
  });
  return there ? job->chosen_class : "";
}

// The device that its job holds out for; empty: none.
std::string_view DeviceOf(const Owner& owner) {
  return owner.job() == nullptr ? std::string_view() : WantedDevice(owner.job()->job.spec().device());
}

// Lets in as many jobs that did not begin as their tenants may have running, whoever of them will be the first.
class Admission {
 public:
  explicit Admission(const TenantGate& gate) : gate_(gate) {}

  bool LetsIn(const Owner& owner) {
    if (owner.job() == nullptr || gate_.IsBegun(owner.name)) return true;
    if (gate_.Holds(owner.name)) return false;
    const int64_t limit = gate_.LimitOf(owner.tenant());
    return limit == 0 || gate_.BegunOf(owner.tenant()) + ++let_in_[owner.tenant()] <= limit;
  }

 private:
  const TenantGate& gate_;
  std::map<std::string, int64_t> let_in_;
};

// What of an owner could run, beside what runs.
TaskCounts CouldRun(const Owner& owner) {
  const bool between = owner.tally.count(TaskState::kReady) == 0 && !owner.AnyLeased();
  return between ? TaskCounts{.large = 0, .small = 1} : owner.tally.could_run();
}

}  // namespace

int64_t PlacesFor(const TaskCounts& tasks) {
  const int64_t with_small_ones = (tasks.large + tasks.small + 1) / 2;
  return std::max(tasks.large, with_small_ones);
}

absl::StatusOr<int64_t> PlacesWanted(const Core& core, const WorkerPool& pool) {
  if (core.fleet == nullptr) return WorkersElsewhereError();
  TaskCounts tasks;
  for (const auto& [compute_class, running] : core.fleet->RunningByClass()) {
    if (Takes(pool, compute_class)) tasks.Add(running);
  }
  if (core.paused || core.draining) return PlacesFor(tasks);
  const std::vector<Offer> offers = core.executor.Offers(core.clock.Monotonic());
  Admission admission(core.gate);
  for (const auto& [name, owner] : core.board.owners()) {
    if (owner->closing || !admission.LetsIn(*owner) || !Takes(pool, ClassOf(*owner, offers), DeviceOf(*owner)))
      continue;
    tasks.Add(CouldRun(*owner));
  }
  return PlacesFor(tasks);
}

void TellDemand(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  if (now - core.demand_told < kPause) return;
  core.demand_told = now;
  core.subscribers.Notify(kDemand, core.outbox);
}

}  // namespace bitwright::server
