#include "server/scheduler/routing.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/code_version.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "server/jobs/task_digest.h"
#include "server/scheduler/action_cache.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

void MakeFor(LiveTask& task, const std::string& compute_class, const std::string& code_version) {
  task.compute_class = compute_class;
  task.code_version = CodeFor(task.node, code_version);
}

// What the job's further tasks are made for, of which this is one.
void Settle(JobWork& job, const LiveTask& task, const Offer& offer) {
  if (task.node.numeric) {
    job.chosen_class = offer.compute_class;
    job.chosen_code = offer.code_version;
  } else if (ProgramOf(job.chosen_code) != ProgramOf(offer.code_version)) {
    job.chosen_class.clear();  // that is another program's
    job.chosen_code = ProgramOf(offer.code_version);
  }
}

// The kind of place that the task is made for; false: there is none now.
bool Choose(Core& core, Owner& owner, LiveTask& task) {
  JobWork* job = owner.job();
  if (job != nullptr && !job->next.pinned_code.empty()) {
    MakeFor(task, job->next.pinned_class, job->next.pinned_code);
    return true;
  }
  const std::vector<Offer> offers = core.executor.Offers(core.clock.Monotonic());
  Requirements needs = NeedsOf(owner, task);
  if (job != nullptr && !job->chosen_code.empty()) {
    needs.compute_class = task.node.numeric ? job->chosen_class : std::string();
    needs.code_version = CodeFor(task.node, job->chosen_code);
    if (AnyOpenFits(offers, needs) && !(task.node.numeric && needs.compute_class.empty())) {
      MakeFor(task, job->chosen_class, job->chosen_code);
      return true;
    }
  }
  const std::optional<Offer> offer =
      ChooseOffer(offers, NeedsOf(owner, task), job == nullptr ? std::string() : job->chosen_code);
  if (!offer) return false;
  MakeFor(task, offer->compute_class, offer->code_version);
  if (job != nullptr) Settle(*job, task, *offer);
  return true;
}

// Whether its tenant may have one more job running, if it does not run yet.
bool MayBegin(Core& core, const Owner& owner) { return owner.job() == nullptr || core.gate.Enter(ToGateJob(owner)); }

bool NothingUnderWay(const Owner& owner) {
  return std::all_of(owner.tasks.begin(), owner.tasks.end(),
                     [](const LiveTask& task) { return task.step == TaskStep::kNone; });
}

// Its tasks are no longer among those that wait for a place.
void Unqueue(Core& core, Owner& owner) {
  for (LiveTask& task : owner.tasks) {
    if (task.step != TaskStep::kQueued) continue;
    task.step = TaskStep::kNone;
    core.executor.Withdraw(task.row.name);
  }
}

// Whether a task that waits for a place of one kind waits in vain, or would do better with another kind.
bool BelongsElsewhere(const std::vector<Offer>& offers, const Owner& owner, const LiveTask& task) {
  const Requirements needs = NeedsNow(owner, task);
  if (!AnyFits(offers, needs)) return true;
  return !AnyOpenFits(offers, needs) && AnyOpenFits(offers, NeedsOf(owner, task));
}

// The message that its worker would get must be one that can be sent. OK, or RESOURCE_EXHAUSTED, TASK_SPEC_TOO_LARGE.
absl::Status CheckSize(const LiveTask& task, const v1::TaskSpec& spec) {
  const auto bytes = static_cast<int64_t>(spec.ByteSizeLong());
  return bytes <= limits::kMaxTaskSpecBytes ? absl::OkStatus() : TaskSpecTooLargeError(task.node.key, bytes);
}

void OnLookedUp(Core& core, Owner& owner, LiveTask& task, Found found) {
  if (core.gate.Holds(owner.name)) {  // since it was looked up
    task.step = TaskStep::kNone;
    return;
  }
  if (!found.status.ok()) {
    task.step = TaskStep::kNone;
    return Refused(core, owner, found.status);
  }
  if (found.result) return FinishFromCache(core, owner, task, std::move(found));
  if (task.row.attempt == 0) core.metrics.CacheMiss();
  Enqueue(core, owner, task);
}

// The worker whose device failed under the task's last attempt; empty: none did.
std::string FailedOn(const TaskRow& row) {
  google::rpc::Status error;
  if (row.error.empty() || !error.ParseFromString(row.error)) return "";
  return ErrorReason(FromProto(error)) == Reason::kDeviceFailed ? row.worker : "";
}

}  // namespace

Execution ToExecution(const Owner& owner, const LiveTask& task) {
  Execution execution{.task = task.row.name,
                      .owner = owner.name,
                      .tenant = owner.tenant(),
                      .priority = owner.priority(),
                      .owner_create_time = owner.create_time(),
                      .cost_flops = task.node.cost_flops,
                      .needs = NeedsOf(owner, task),
                      .failed_on = FailedOn(task.row)};
  execution.needs.code_version = task.code_version;
  if (task.node.numeric) execution.needs.compute_class = task.compute_class;
  return execution;
}

Requirements NeedsNow(const Owner& owner, const LiveTask& task) {
  return task.step == TaskStep::kQueued ? ToExecution(owner, task).needs : NeedsOf(owner, task);
}

void Enqueue(Core& core, Owner& owner, LiveTask& task) {
  if (core.board.Runs(owner, task)) {  // since it was looked up
    task.step = TaskStep::kNone;
    return core.board.Block(owner, task);
  }
  task.step = TaskStep::kQueued;
  core.executor.Submit(ToExecution(owner, task));
}

void BecomeReady(Core& core, Owner& owner, LiveTask& task) {
  core.board.Move(owner, task, TaskEvent::kSourcesDone);
  task.ready_since = core.clock.Monotonic();
  Route(core, owner, task);
}

void Route(Core& core, Owner& owner, LiveTask& task) {
  if (task.row.state != TaskState::kReady || task.step != TaskStep::kNone || !task.blocked_on.empty()) return;
  if (owner.stuck || owner.closing) return;
  if (task.not_before > core.clock.Monotonic()) {
    core.timers.emplace(task.not_before, task.row.name);
    return;
  }
  core.unrouted.erase(task.row.name);
  if (!Choose(core, owner, task)) {
    core.unrouted.insert(task.row.name);
    if (!core.gate.IsBegun(owner.name) && NothingUnderWay(owner)) core.gate.Yield(owner.name);
    return;
  }
  if (!MayBegin(core, owner)) return;
  const absl::StatusOr<v1::TaskSpec> spec = Concretize(owner, task, task.compute_class, task.code_version);
  if (!spec.ok()) return FailOwner(core, owner, spec.status());
  if (const absl::Status small = CheckSize(task, *spec); !small.ok()) return FailOwner(core, owner, small);
  task.digest = TaskDigest(*spec);
  if (core.board.Runs(owner, task)) return core.board.Block(owner, task);
  task.step = TaskStep::kLookup;
  Outside<Found>(
      core,
      [&store = core.store, &blobs = core.blobs, tenant = owner.tenant(), digest = task.digest] {
        return LookUp(store, blobs, tenant, digest);
      },
      [name = task.row.name](Core& under_lock, Found found) {
        const auto place = under_lock.board.Find(name);
        if (!place || place->task->step != TaskStep::kLookup) return;
        OnLookedUp(under_lock, *place->owner, *place->task, std::move(found));
      });
}

void RouteReady(Core& core, Owner& owner) {
  for (LiveTask& task : owner.tasks) Route(core, owner, task);
}

void Unblock(Core& core, const std::string& task) {
  const auto place = core.board.Find(task);
  if (!place) return;
  core.board.Unblock(*place->owner, *place->task);
  Route(core, *place->owner, *place->task);
}

void ApplyGate(Core& core) {
  // One that is let in may find no place, so that the next one is.
  for (TenantGate::Moves moves = core.gate.TakeMoves(); !moves.empty(); moves = core.gate.TakeMoves()) {
    for (const std::string& name : moves.put_back) {
      Owner* owner = core.board.FindOwner(name);
      if (owner != nullptr && core.gate.Holds(name)) Unqueue(core, *owner);
    }
    for (const std::string& name : moves.let_in) {
      if (Owner* owner = core.board.FindOwner(name)) RouteReady(core, *owner);
    }
  }
}

void RouteDue(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  while (!core.timers.empty() && core.timers.begin()->first <= now) {
    const std::string task = core.timers.extract(core.timers.begin()).mapped();
    if (const auto place = core.board.Find(task)) Route(core, *place->owner, *place->task);
  }
}

void RouteAfterFleetChange(Core& core) {
  if (core.fleet_seen == core.executor.changes()) return;
  core.fleet_seen = core.executor.changes();
  const std::vector<Offer> offers = core.executor.Offers(core.clock.Monotonic());
  std::vector<std::string> again(core.unrouted.begin(), core.unrouted.end());
  for (const auto& [name, owner] : core.board.owners()) {
    if (owner->job() != nullptr && !owner->job()->row.pinned_code.empty()) continue;
    for (LiveTask& task : owner->tasks) {
      if (task.step != TaskStep::kQueued || !BelongsElsewhere(offers, *owner, task)) continue;
      core.executor.Withdraw(task.row.name);
      task.step = TaskStep::kNone;
      again.push_back(task.row.name);
    }
  }
  for (const std::string& task : again) {
    if (const auto place = core.board.Find(task)) Route(core, *place->owner, *place->task);
  }
}

}  // namespace bitwright::server
