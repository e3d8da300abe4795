#include "server/scheduler/leasing.h"

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "server/jobs/task_digest.h"
#include "server/scheduler/action_cache.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/job_start.h"
#include "server/scheduler/policy_input.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/unplaceable.h"

namespace bitwright::server {
namespace {

// The task that the policy gives to this worker, if any.
std::optional<TaskBoard::Place> Pick(Core& core, const Fleet::Member& worker, bool small_only) {
  PolicySnapshot snapshot{.now = core.clock.Monotonic()};
  std::vector<TaskBoard::Place> places;
  int running = 0;
  for (const auto& [name, owner] : core.board.owners()) {
    for (LiveTask& task : owner->tasks) {
      running += task.row.state == TaskState::kLeased ? 1 : 0;
      if (owner->stuck || task.row.state != TaskState::kReady) continue;
      if (!task.blocked_on.empty() && core.board.Runs(task.blocked_on)) continue;
      task.blocked_on.clear();
      snapshot.ready.push_back(ToReadyTask(*owner, task));
      places.push_back({owner.get(), &task});
    }
  }
  snapshot.shares = {{kOnlyTenant, running}};
  const std::optional<size_t> pick = PickTask(snapshot, ToAskingWorker(worker, small_only));
  return pick ? std::optional(places[*pick]) : std::nullopt;
}

v1::Lease MakeLease(const Core& core, const Owner& owner, const LiveTask& task, v1::TaskSpec spec) {
  v1::Lease lease;
  lease.set_task(task.row.name);
  lease.set_fencing_token(task.row.fencing_token);
  lease.set_owner(owner.name);
  *lease.mutable_spec() = std::move(spec);
  *lease.mutable_ttl() = ToProto(core.options.lease_ttl);
  return lease;
}

absl::StatusOr<v1::Lease> Grant(Core& core, TaskBoard::Place place, const Fleet::Member& worker, v1::TaskSpec spec,
                                const std::string& digest) {
  const absl::Time now = core.clock.Now();
  Owner& owner = *place.owner;
  LiveTask& task = *place.task;
  TaskRow row = task.row;
  MoveTask(row, TaskEvent::kLeased);
  row.attempt += 1;
  row.worker = worker.name;
  row.worker_host = worker.capacity.host();
  row.worker_process = worker.capacity.process_id();
  row.fencing_token += 1;
  row.lease_expiry_micros = ToMicros(now + core.options.lease_ttl + core.options.lease_grace);
  row.digest = digest;
  ABSL_RETURN_IF_ERROR(
      BeginTask(core, place, worker.capacity, [&](Transaction&) { return std::optional(row); }).status());
  task.lease_expiry = LeaseExpiry(core);
  task.progress = 0;
  core.metrics.CacheMiss();
  core.metrics.TaskLeased(absl::ToDoubleSeconds(core.clock.Monotonic() - task.ready_since));
  Changed(core, owner);
  return MakeLease(core, owner, task, std::move(spec));
}

// A lease for this worker; nothing when no task fits.
absl::StatusOr<std::optional<v1::Lease>> TryLease(Core& core, const Fleet::Member& worker, bool small_only) {
  while (worker.has_free_slot()) {
    const std::optional<TaskBoard::Place> place = Pick(core, worker, small_only);
    if (!place) break;
    const v1::WorkerCapacity& capacity = worker.capacity;
    absl::StatusOr<v1::TaskSpec> spec =
        Concretize(*place->owner, *place->task, capacity.compute_class(), capacity.code_version());
    if (!spec.ok()) {
      (void)FailOwner(core, *place->owner, spec.status());
      continue;
    }
    const std::string digest = TaskDigest(*spec);
    if (core.board.Runs(digest)) {
      place->task->blocked_on = digest;
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(const bool cached, FinishFromCache(core, *place->owner, *place->task, digest, capacity));
    if (cached) continue;
    ABSL_ASSIGN_OR_RETURN(v1::Lease lease, Grant(core, *place, worker, *std::move(spec), digest));
    return std::optional(std::move(lease));
  }
  return std::nullopt;
}

absl::StatusOr<std::optional<v1::Lease>> TryLease(Core& core, const WaitingWorkers::Waiter& waiter) {
  const Fleet::Member* member = core.board.fleet().Find(waiter.worker);
  return member == nullptr ? WorkerUnknownError(waiter.worker) : TryLease(core, *member, waiter.small_only);
}

}  // namespace

void ServeWaiting(Core& core) {
  FailTooLarge(core);
  // A task found in the cache may make tasks ready that fit a worker already passed over.
  int64_t seen = -1;
  while (seen != core.board.ready_changes() && !core.draining) {
    seen = core.board.ready_changes();
    std::vector<int64_t> ids;
    for (const auto& [id, waiter] : core.waiting.waiters()) ids.push_back(id);
    for (const int64_t id : ids) {
      absl::StatusOr<std::optional<v1::Lease>> lease = TryLease(core, core.waiting.waiters().at(id));
      if (!lease.ok() || lease->has_value()) core.waiting.Answer(id, std::move(lease), core.outbox);
    }
  }
}

}  // namespace bitwright::server
