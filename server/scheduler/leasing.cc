#include <algorithm>
#include <map>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "server/jobs/graph.h"
#include "server/jobs/job_state.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/scheduler.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/section.h"

namespace bitwright::server {
namespace {

// One tenant until accounts exist.
constexpr char kTenant[] = "default";

ReadyTask ToReadyTask(const Owner& owner, const LiveTask& task) {
  return {.task = task.row.name,
          .owner = owner.name,
          .tenant = kTenant,
          .priority = owner.job.spec().priority(),
          .owner_create_micros = owner.create_micros(),
          .ready_micros = task.ready_micros,
          .not_before_micros = task.row.not_before_micros,
          .memory_bytes = task.node.memory_bytes,
          .cost_flops = task.node.cost_flops,
          .numeric = task.node.numeric,
          .pinned_class = task.node.numeric ? owner.job_row.pinned_class : std::string(),
          .pinned_code = owner.job_row.pinned_code};
}

// The job's row after a task of it was given to `worker` (or found in the cache on its behalf).
absl::StatusOr<JobRow> RowAfterLease(const Owner& owner, const LiveTask& task, const v1::WorkerCapacity& worker,
                                     int64_t now_micros) {
  JobRow row = owner.job_row;
  v1::Job job = owner.job;
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(job.state(), JobEvent::kFirstLease));
  job.set_state(state);
  if (!job.has_start_time()) *job.mutable_start_time() = bitwright::ToProto(TimeFromMicros(now_micros));
  if (task.node.numeric && row.pinned_class.empty()) {
    row.pinned_class = worker.compute_class();
    row.pinned_code = worker.code_version();
    job.set_compute_class(row.pinned_class);
  }
  row.state = state;
  row.body = job.SerializeAsString();
  return row;
}

void Apply(Owner& owner, const JobRow& row) {
  owner.job_row = row;
  const int64_t revision = owner.job.revision();
  CHECK(owner.job.ParseFromString(row.body));
  owner.job.set_revision(revision);
}

}  // namespace

int64_t Scheduler::LeaseTask(const std::string& worker, absl::Duration max_wait, LeaseDone done) {
  Section section(*this);
  const int64_t id = next_id_++;
  Fleet::Member* member = fleet_.Find(worker);
  if (member == nullptr || draining_) {
    const absl::Status status = draining_ ? ServerDraining() : WorkerUnknown(worker);
    after_.push_back([done = std::move(done), status] { done(status); });
    return id;
  }
  member->last_seen_micros = ToMicros(clock_.Now());
  waiters_[id] = {worker, ToMicros(clock_.Now() + max_wait), std::move(done)};
  Pump();
  if (const auto it = waiters_.find(id); it != waiters_.end() && max_wait <= absl::ZeroDuration()) {
    after_.push_back([done = std::move(it->second.done)] { done(std::nullopt); });
    waiters_.erase(it);
  }
  return id;
}

void Scheduler::CancelLease(int64_t waiter) {
  Section section(*this);
  const auto it = waiters_.find(waiter);
  if (it == waiters_.end()) return;
  after_.push_back([done = std::move(it->second.done)] { done(std::nullopt); });
  waiters_.erase(it);
}

void Scheduler::Pump() {
  FailTooLarge();
  // A task found in the cache may make tasks ready that fit a worker already passed over.
  int64_t advances = -1;
  while (advances != advances_ && !draining_) {
    advances = advances_;
    for (auto it = waiters_.begin(); it != waiters_.end();) {
      Fleet::Member* member = fleet_.Find(it->second.worker);
      absl::StatusOr<std::optional<v1::Lease>> lease =
          member == nullptr ? WorkerUnknown(it->second.worker) : TryLease(*member);
      if (lease.ok() && !lease->has_value()) {
        ++it;
        continue;
      }
      after_.push_back([done = std::move(it->second.done), lease = std::move(lease)] { done(lease); });
      it = waiters_.erase(it);
    }
  }
}

std::optional<Scheduler::TaskPlace> Scheduler::Pick(const Fleet::Member& worker) {
  PolicySnapshot snapshot{.now_micros = ToMicros(clock_.Now())};
  std::vector<TaskPlace> places;
  int running = 0;
  for (const auto& [name, owner] : owners_) {
    for (size_t i = 0; i < owner->tasks.size(); ++i) {
      LiveTask& task = owner->tasks[i];
      running += task.row.state == TaskState::kLeased ? 1 : 0;
      if (owner->stuck || task.row.state != TaskState::kReady) continue;
      if (!task.blocked_on.empty() && running_.contains(task.blocked_on)) continue;
      task.blocked_on.clear();
      snapshot.ready.push_back(ToReadyTask(*owner, task));
      places.push_back({owner.get(), i});
    }
  }
  snapshot.shares = {{kTenant, running}};
  const std::optional<size_t> pick =
      PickTask(snapshot, {worker.capacity.compute_class(), worker.capacity.code_version(), worker.free_memory_bytes()});
  return pick ? std::optional(places[*pick]) : std::nullopt;
}

absl::StatusOr<std::optional<v1::Lease>> Scheduler::TryLease(Fleet::Member& worker) {
  while (worker.has_free_slot()) {
    const std::optional<TaskPlace> place = Pick(worker);
    if (!place) break;
    Owner& owner = *place->owner;
    LiveTask& task = owner.tasks[place->index];
    const v1::WorkerCapacity& capacity = worker.capacity;
    absl::StatusOr<v1::TaskSpec> spec = Concretize(owner, task, capacity.compute_class(), capacity.code_version());
    if (!spec.ok()) {
      (void)Fail(owner, spec.status());
      continue;
    }
    const std::string digest = TaskDigest(*spec);
    if (running_.contains(digest)) {
      task.blocked_on = digest;
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(const bool cached, TryCache(owner, task, digest, capacity));
    if (cached) continue;
    ABSL_ASSIGN_OR_RETURN(v1::Lease lease, Grant(owner, task, worker, *std::move(spec), digest));
    return std::optional(std::move(lease));
  }
  return std::nullopt;
}

absl::StatusOr<bool> Scheduler::TryCache(Owner& owner, LiveTask& task, const std::string& digest,
                                         const v1::WorkerCapacity& asker) {
  const int64_t now = ToMicros(clock_.Now());
  TaskRow row = task.row;
  JobRow job_row;
  v1::TaskResult result;
  if (!owner.is_model) {
    ABSL_ASSIGN_OR_RETURN(job_row, RowAfterLease(owner, task, asker, now));
  }
  bool hit = false;
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> action, tx.GetAction(digest));
    if (!action || !result.ParseFromString(*action)) return absl::OkStatus();
    std::vector<BlobDigest> outputs;
    for (const v1::TaskOutput& output : result.outputs()) {
      ABSL_ASSIGN_OR_RETURN(const BlobDigest blob, FromProto(output.digest()));
      ABSL_ASSIGN_OR_RETURN(const bool held, tx.HasBlob(blob));
      if (!held || !blobs_.HasFile(blob)) return absl::OkStatus();
      outputs.push_back(blob);
    }
    hit = true;
    row.state = TaskState::kDone;
    row.digest = digest;
    row.result = *action;
    row.seconds = 0;
    row.cached = true;
    ABSL_RETURN_IF_ERROR(tx.PutTask(row));
    ABSL_RETURN_IF_ERROR(tx.TouchBlobs(outputs, now));
    ABSL_RETURN_IF_ERROR(tx.AddReferences(owner.TasksReference(), outputs));
    return owner.is_model ? absl::OkStatus() : tx.PutJob(job_row);
  }));
  if (!hit) return false;
  metrics_.CacheHit();
  if (!owner.is_model) Apply(owner, job_row);
  task.row = std::move(row);
  task.result = std::move(result);
  Changed(owner);
  Advance(owner);
  return true;
}

absl::StatusOr<v1::Lease> Scheduler::Grant(Owner& owner, LiveTask& task, Fleet::Member& worker, v1::TaskSpec spec,
                                           const std::string& digest) {
  const int64_t now = ToMicros(clock_.Now());
  TaskRow row = task.row;
  row.state = TaskState::kLeased;
  row.attempt += 1;
  row.worker = worker.name;
  row.worker_host = worker.capacity.host();
  row.worker_process = worker.capacity.process_id();
  row.fencing_token += 1;
  row.lease_expiry_micros = now + ToMicros(options_.lease_ttl) + ToMicros(options_.lease_grace);
  row.digest = digest;
  JobRow job_row;
  if (!owner.is_model) {
    ABSL_ASSIGN_OR_RETURN(job_row, RowAfterLease(owner, task, worker.capacity, now));
  }
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(tx.PutTask(row));
    return owner.is_model ? absl::OkStatus() : tx.PutJob(job_row);
  }));
  if (!owner.is_model) Apply(owner, job_row);
  task.row = std::move(row);
  task.progress = 0;
  running_[digest] = task.row.name;
  fleet_.Started(worker.name, task.row.name, task.node.memory_bytes);
  metrics_.CacheMiss();
  metrics_.TaskLeased(static_cast<double>(now - task.ready_micros) / 1e6);
  Changed(owner);
  v1::Lease lease;
  lease.set_task(task.row.name);
  lease.set_fencing_token(task.row.fencing_token);
  lease.set_owner(owner.name);
  *lease.mutable_spec() = std::move(spec);
  *lease.mutable_ttl() = ToProto(options_.lease_ttl);
  return lease;
}

void Scheduler::FailTooLarge() {
  const std::optional<int64_t> largest = fleet_.LargestMemoryBytes();
  if (!largest) return;
  std::vector<std::pair<std::string, absl::Status>> failures;
  for (const auto& [name, owner] : owners_) {
    for (const LiveTask& task : owner->tasks) {
      if (owner->stuck || task.row.state != TaskState::kReady || task.node.memory_bytes <= *largest) continue;
      failures.emplace_back(name, TaskTooLarge(task.node.key, task.node.memory_bytes, *largest));
      break;
    }
  }
  for (const auto& [name, error] : failures) (void)Fail(*owners_.at(name), error);
}

void Scheduler::FailUnmatched() {
  const int64_t now = ToMicros(clock_.Now());
  std::vector<std::string> unmatched;
  for (const auto& [name, owner] : owners_) {
    const JobRow& row = owner->job_row;
    const auto matches = [&](const auto& member) {
      return member.second.capacity.compute_class() == row.pinned_class &&
             member.second.capacity.code_version() == row.pinned_code;
    };
    const auto& members = fleet_.members();
    if (row.pinned_class.empty() || members.empty() || std::any_of(members.begin(), members.end(), matches)) {
      owner->unmatched_since_micros = 0;
    } else if (owner->unmatched_since_micros == 0) {
      owner->unmatched_since_micros = now;
    } else if (now - owner->unmatched_since_micros >= ToMicros(options_.pin_patience) && !owner->stuck) {
      unmatched.push_back(name);
    }
  }
  for (const std::string& name : unmatched) {
    Owner& owner = *owners_.at(name);
    (void)Fail(owner, PinUnmatched(owner.job_row.pinned_class, owner.job_row.pinned_code));
  }
}

void Scheduler::InspectFromCache(Owner& owner) {
  std::map<std::string, v1::WorkerCapacity> versions;
  for (const auto& [name, member] : fleet_.members()) versions[member.capacity.code_version()] = member.capacity;
  LiveTask& task = owner.tasks.front();
  if (owner.stuck || task.row.state != TaskState::kReady) return;
  for (const auto& [version, capacity] : versions) {
    const auto spec = Concretize(owner, task, capacity.compute_class(), version);
    if (!spec.ok()) return;
    const auto cached = TryCache(owner, task, TaskDigest(*spec), capacity);
    if (!cached.ok() || *cached) return;  // found: the owner is gone
  }
}

}  // namespace bitwright::server
