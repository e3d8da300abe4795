#include "server/scheduler/starting.h"

#include <random>
#include <utility>

#include "proto/base/log.h"
#include "proto/base/wire_time.h"
#include "server/jobs/job_state.h"
#include "server/jobs/stamp.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/routing.h"

namespace bitwright::server {
namespace {

constexpr int kRandomBits = 40;

// Greater than the last one, and not to be guessed: who knows it was given the lease.
int64_t NextToken(int64_t last) {
  static thread_local std::random_device random;
  const uint64_t drawn = (uint64_t{random()} << 32) | random();
  return (((last >> kRandomBits) + 1) << kRandomBits) | static_cast<int64_t>(drawn >> (64 - kRandomBits));
}

v1::Lease MakeLease(const Core& core, const Owner& owner, const TaskRow& row, v1::TaskSpec spec) {
  v1::Lease lease;
  lease.set_task(row.name);
  lease.set_fencing_token(row.fencing_token);
  lease.set_owner(owner.name);
  *lease.mutable_spec() = std::move(spec);
  *lease.mutable_ttl() = ToProto(core.options.fleet.lease_ttl);
  return lease;
}

TaskRow LeasedRow(const Core& core, const LiveTask& task, const Place& place) {
  TaskRow row = task.row;
  MoveTask(row, TaskEvent::kLeased);
  row.attempt += 1;
  row.worker = place.worker;
  row.worker_host = place.host;
  row.worker_process = place.process_id;
  row.fencing_token = NextToken(row.fencing_token);
  row.lease_expiry_micros = ToMicros(core.clock.Now() + core.options.fleet.lease_ttl + core.options.fleet.lease_grace);
  row.digest = task.digest;
  if (row.begin_micros == 0) row.begin_micros = ToMicros(core.clock.Now());
  return row;
}

// The place is free again, and the task no longer waits for one.
void GiveUp(Core& core, const std::string& task) {
  core.executor.Withdraw(task);
  core.executor.Refuse(task);
}

void OnWritten(Core& core, const TaskRow& row, const std::optional<JobRow>& job_row, const absl::Status& fate) {
  const auto place = core.board.Find(row.name);
  if (!place || place->task->step != TaskStep::kStarting) return core.executor.Refuse(row.name);
  Owner& owner = *place->owner;
  LiveTask& task = *place->task;
  task.step = TaskStep::kNone;
  if (!fate.ok()) {
    GiveUp(core, row.name);
    Vacate(core, owner, task);
    OnNotBegun(owner);
    return Refused(core, owner, fate);
  }
  core.board.SetProgress(owner, task, 0);
  task.began = core.clock.Now();
  core.board.SetRow(owner, task, row);
  OnBegun(core, owner, job_row);
  LOG(DEBUG).With("owner", owner.name).With("task", row.name).With("key", row.key).With("worker", row.worker)
      << "leased, attempt " << row.attempt;
  core.metrics.TaskLeased(absl::ToDoubleSeconds(core.clock.Monotonic() - task.ready_since));
  const auto spec = Concretize(owner, task, task.compute_class, task.code_version);
  if (owner.closing) {
    GiveUp(core, row.name);
  } else if (!spec.ok()) {  // an input was lost while the lease was written: as if it had not been leased
    GiveUp(core, row.name);
    PutBack(core, *place, nullptr, nullptr);
  } else {
    core.executor.Begin(row.name, MakeLease(core, owner, row, *spec), core.clock.Monotonic(), core.outbox);
  }
  Changed(core, owner);
  for (auto& call : std::exchange(task.when_written, {})) call(core);
}

}  // namespace

std::optional<JobRow> BegunRow(Core& core, Owner& owner, const LiveTask& task) {
  JobWork* work = owner.job();
  if (work == nullptr) return std::nullopt;
  core.gate.Begin(ToGateJob(owner));
  const bool pins = task.node.numeric && work->next.pinned_class.empty();
  if (work->next.state == v1::Job::RUNNING && !pins) return std::nullopt;
  v1::Job job = work->job;
  const auto state = NextJobState(static_cast<v1::Job::State>(work->next.state), JobEvent::kFirstLease);
  CHECK(state.ok()) << owner.name << ": " << state.status().ToString();
  job.set_state(*state);
  if (!job.has_start_time()) *job.mutable_start_time() = ToProto(core.clock.Now());
  if (pins) {
    work->next.pinned_class = task.compute_class;
    work->next.pinned_code = task.code_version;
  }
  job.set_compute_class(work->next.pinned_class);
  Stamp(job, core.clock.Now());
  work->next.state = *state;
  work->next.body = job.SerializeAsString();
  return work->next;
}

void OnBegun(Core& core, Owner& owner, const std::optional<JobRow>& row) {
  owner.waiting.reset();
  owner.unplaceable_since.reset();
  if (!row) return;
  JobWork& work = *owner.job();
  work.row = *row;
  v1::Job stored;
  CHECK(stored.ParseFromString(row->body)) << row->name;
  work.job.set_state(stored.state());
  work.job.set_compute_class(stored.compute_class());
  *work.job.mutable_start_time() = stored.start_time();
  core.window.OnBegun(core, owner.name);
}

void OnNotBegun(Owner& owner) {
  if (JobWork* work = owner.job()) work->next = work->row;
}

void StartTask(Core& core, const Placement& placement) {
  const auto place = core.board.Find(placement.task);
  if (!place || place->task->step != TaskStep::kQueued || place->owner->closing) {
    return GiveUp(core, placement.task);
  }
  Owner& owner = *place->owner;
  LiveTask& task = *place->task;
  const JobWork* job = owner.job();
  if (core.gate.Holds(owner.name)) {  // since a place was looked for
    GiveUp(core, placement.task);
    task.step = TaskStep::kNone;
    return;
  }
  const bool equal_runs = core.board.Runs(owner, task);
  const bool pinned_otherwise = job != nullptr && task.node.numeric && !job->next.pinned_class.empty() &&
                                job->next.pinned_class != task.compute_class;
  if (equal_runs || pinned_otherwise) {
    GiveUp(core, placement.task);
    task.step = TaskStep::kNone;
    return equal_runs ? core.board.Block(owner, task) : Route(core, owner, task);
  }
  task.step = TaskStep::kStarting;
  core.board.Occupy(owner, task);
  const TaskRow row = LeasedRow(core, task, placement.place);
  const std::optional<JobRow> job_row = BegunRow(core, owner, task);
  Change change;
  change.expected = {{row.name, task.stored, task.row.fencing_token}};
  change.tasks = {row};
  change.job = job_row;
  Commit(core, owner, std::move(change), [row, job_row](Core& under_lock, Owner*, const absl::Status& fate) {
    OnWritten(under_lock, row, job_row, fate);
  });
}

}  // namespace bitwright::server
