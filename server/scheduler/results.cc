#include <algorithm>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/process.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"
#include "server/blobs/blob_errors.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/scheduler.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/section.h"

namespace bitwright::server {
namespace {

constexpr double kMeasurableFlops = 1e10;  // smaller tasks say more about start-up than about speed

// Outputs by name, so that a repeated call compares equal.
v1::TaskResult Sorted(v1::TaskResult result) {
  std::sort(result.mutable_outputs()->begin(), result.mutable_outputs()->end(),
            [](const v1::TaskOutput& a, const v1::TaskOutput& b) { return a.name() < b.name(); });
  return result;
}

bool SameOutputs(const v1::TaskResult& a, const v1::TaskResult& b) {
  return std::equal(a.outputs().begin(), a.outputs().end(), b.outputs().begin(), b.outputs().end(),
                    [](const v1::TaskOutput& x, const v1::TaskOutput& y) {
                      return x.name() == y.name() && x.digest().sha256() == y.digest().sha256() &&
                             x.digest().size_bytes() == y.digest().size_bytes();
                    });
}

}  // namespace

std::string Scheduler::RegisterWorker(const v1::WorkerCapacity& capacity) {
  Section section(*this);
  const std::string name = fleet_.Add(capacity, ToMicros(clock_.Now()));
  LOG(INFO) << name << " registered: " << capacity.cores() << " cores, " << capacity.compute_class() << ", host "
            << capacity.host() << ", process " << capacity.process_id();
  Pump();
  return name;
}

void Scheduler::DeregisterWorker(const std::string& worker) {
  Section section(*this);
  ReleaseWorker(worker, nullptr);
  Pump();
}

void Scheduler::ReleaseProcess(const std::string& host, int process_id) {
  Section section(*this);
  for (const std::string& worker : fleet_.OfProcess(host, process_id)) {
    const absl::Status fault = WorkerDied(worker);
    ReleaseWorker(worker, draining_ ? nullptr : &fault);  // in a drain we ended it ourselves
  }
  Pump();
}

void Scheduler::ReturnLease(const v1::Lease& lease) {
  Section section(*this);
  Owner* owner = nullptr;
  LiveTask* task = LeasedTask(lease.task(), lease.fencing_token(), &owner);
  if (task == nullptr) return;
  const absl::Status status = PutBack(*owner, *task);
  if (!status.ok()) LOG(ERROR) << lease.task() << " will be released when its lease ends: " << status.ToString();
  Pump();
}

std::vector<v1::Worker> Scheduler::ListWorkers() {
  absl::MutexLock lock(&mutex_);
  return fleet_.ToProto();
}

absl::StatusOr<v1::HeartbeatResponse> Scheduler::Heartbeat(const v1::HeartbeatRequest& request) {
  Section section(*this);
  Fleet::Member* member = fleet_.Find(request.worker());
  if (member == nullptr) return WorkerUnknown(request.worker());
  const int64_t now = ToMicros(clock_.Now());
  member->last_seen_micros = now;
  v1::HeartbeatResponse response;
  response.set_drain(draining_);
  for (const auto& running : request.running()) {
    Owner* owner = nullptr;
    LiveTask* task = LeasedTask(running.task(), running.fencing_token(), &owner);
    if (task == nullptr) {
      response.add_lost(running.task());
      continue;
    }
    if (task->row.worker != member->name) {
      // The same process under a new name: it registered again after the server or the network was gone.
      fleet_.Stopped(task->row.worker, task->row.name);
      fleet_.Started(member->name, task->row.name, task->node.memory_bytes);
      task->row.worker = member->name;
    }
    task->row.lease_expiry_micros = now + ToMicros(options_.lease_ttl) + ToMicros(options_.lease_grace);
    const double progress = std::clamp(running.progress(), 0.0, 1.0);
    if (progress != task->progress) {
      task->progress = progress;
      Changed(*owner);
    }
  }
  for (const auto& [name, owner] : owners_) response.add_live_owners(name);
  return response;
}

LiveTask* Scheduler::LeasedTask(const std::string& name, int64_t token, Owner** owner) {
  const auto it = tasks_.find(name);
  if (it == tasks_.end()) return nullptr;
  LiveTask& task = it->second.owner->tasks[it->second.index];
  if (task.row.state != TaskState::kLeased || task.row.fencing_token != token) return nullptr;
  *owner = it->second.owner;
  return &task;
}

absl::Status Scheduler::LateResult(const std::string& name, int64_t token, const std::string& result) {
  std::optional<TaskRow> row;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetTask(name));
    return absl::OkStatus();
  }));
  if (!row || row->fencing_token != token) return LeaseLost(name, token);
  if (result.empty()) {  // a failure: it was noted, unless the lease was merely taken away
    const bool noted =
        (row->state == TaskState::kWaiting || row->state == TaskState::kReady || row->state == TaskState::kFailed) &&
        !row->error.empty();
    return noted ? absl::OkStatus() : LeaseLost(name, token);
  }
  v1::TaskResult given;
  v1::TaskResult kept;
  const bool same = row->state == TaskState::kDone && given.ParseFromString(result) &&
                    kept.ParseFromString(row->result) && SameOutputs(given, kept);
  return same ? absl::OkStatus() : LeaseLost(name, token);
}

absl::Status Scheduler::CompleteTask(const v1::CompleteTaskRequest& request) {
  Section section(*this);
  const v1::TaskResult result = Sorted(request.result());
  const std::string result_bytes = result.SerializeAsString();
  Owner* owner = nullptr;
  LiveTask* task = LeasedTask(request.task(), request.fencing_token(), &owner);
  if (task == nullptr) return LateResult(request.task(), request.fencing_token(), result_bytes);
  std::vector<BlobDigest> outputs;
  for (const v1::TaskOutput& output : result.outputs()) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(output.digest()));
    outputs.push_back(std::move(digest));
  }
  TaskRow row = task->row;
  row.state = TaskState::kDone;
  row.result = result_bytes;
  row.seconds = result.seconds();
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<TaskRow> stored, tx.GetTask(row.name));
    if (!stored || stored->state != TaskState::kLeased || stored->fencing_token != row.fencing_token) {
      return LeaseLost(row.name, row.fencing_token);
    }
    for (const BlobDigest& output : outputs) {
      ABSL_ASSIGN_OR_RETURN(const bool held, tx.HasBlob(output));
      if (!held) return BlobMissing(output, "the result of " + row.name);
    }
    ABSL_RETURN_IF_ERROR(tx.PutTask(row));
    ABSL_RETURN_IF_ERROR(tx.TouchBlobs(outputs, ToMicros(clock_.Now())));
    ABSL_RETURN_IF_ERROR(tx.PutAction(row.digest, result_bytes, outputs));
    return tx.AddReferences(owner->TasksReference(), outputs);
  }));
  StopRunning(*task);
  task->row = std::move(row);
  task->result = result;
  metrics_.TaskDone(task->node.spec.kind(), result.seconds());
  if (task->node.cost_flops > kMeasurableFlops && result.seconds() > 0) {
    measured_flops_ += task->node.cost_flops;
    measured_seconds_ += result.seconds();
  }
  Changed(*owner);
  Advance(*owner);
  Pump();
  return absl::OkStatus();
}

absl::Status Scheduler::FailTask(const v1::FailTaskRequest& request) {
  Section section(*this);
  Owner* owner = nullptr;
  LiveTask* task = LeasedTask(request.task(), request.fencing_token(), &owner);
  if (task == nullptr) return LateResult(request.task(), request.fencing_token(), "");
  absl::Status error = FromProto(request.error());
  if (error.ok()) error = ErrorMissing(task->node.key);
  absl::Status status;
  if (request.machinery()) {
    status = Retry(*owner, *task, error);
  } else {
    StopRunning(*task);
    task->row.state = TaskState::kFailed;
    task->row.error = ToProto(error).SerializeAsString();
    status = Fail(*owner, error);
  }
  Pump();
  return status;
}

absl::Status Scheduler::Retry(Owner& owner, LiveTask& task, const absl::Status& error) {
  LOG(WARNING) << task.row.name << " (" << task.node.spec.kind() << ") attempt " << task.row.attempt
               << " failed: " << error.ToString();
  TaskRow row = task.row;
  row.error = ToProto(error).SerializeAsString();
  if (row.attempt >= limits::kMaxTaskAttempts) {
    StopRunning(task);
    row.state = TaskState::kFailed;
    task.row = std::move(row);
    return Fail(owner, AttemptsExhausted(task.node.key, task.row.attempt, error));
  }
  row.state = TaskState::kReady;
  row.not_before_micros = ToMicros(clock_.Now()) + RetryDelayMicros(row.attempt + 1);
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) { return tx.PutTask(row); }));
  StopRunning(task);
  task.row = std::move(row);
  task.ready_micros = ToMicros(clock_.Now());
  metrics_.TaskRetried();
  Changed(owner);
  return absl::OkStatus();
}

absl::Status Scheduler::PutBack(Owner& owner, LiveTask& task) {
  TaskRow row = task.row;
  row.state = TaskState::kReady;
  row.attempt -= 1;
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) { return tx.PutTask(row); }));
  StopRunning(task);
  task.row = std::move(row);
  task.ready_micros = ToMicros(clock_.Now());
  Changed(owner);
  return absl::OkStatus();
}

void Scheduler::StopRunning(const LiveTask& task) {
  fleet_.Stopped(task.row.worker, task.row.name);
  if (const auto it = running_.find(task.row.digest); it != running_.end() && it->second == task.row.name) {
    running_.erase(it);
  }
}

void Scheduler::ReleaseWorker(const std::string& worker, const absl::Status* fault) {
  std::vector<std::string> leased;
  for (const auto& [name, place] : tasks_) {
    const LiveTask& task = place.owner->tasks[place.index];
    if (task.row.state == TaskState::kLeased && task.row.worker == worker) leased.push_back(name);
  }
  for (const std::string& name : leased) {
    const auto it = tasks_.find(name);  // an earlier one may have ended its owner
    if (it == tasks_.end()) continue;
    Owner& owner = *it->second.owner;
    LiveTask& task = owner.tasks[it->second.index];
    const absl::Status status = fault != nullptr ? Retry(owner, task, *fault) : PutBack(owner, task);
    if (!status.ok()) LOG(ERROR) << name << " will be released when its lease ends: " << status.ToString();
  }
  fleet_.Remove(worker);
}

bool Scheduler::IsOrphan(const LiveTask& task) {
  return fleet_.Find(task.row.worker) == nullptr && task.row.worker_host == options_.host &&
         ProcessIsGone(task.row.worker_process);
}

void Scheduler::ExpireLeases() {
  const int64_t now = ToMicros(clock_.Now());
  std::vector<std::string> expired;
  for (const auto& [name, place] : tasks_) {
    const LiveTask& task = place.owner->tasks[place.index];
    if (task.row.state != TaskState::kLeased) continue;
    if (task.row.lease_expiry_micros <= now || IsOrphan(task)) expired.push_back(name);
  }
  for (const std::string& name : expired) {
    const auto it = tasks_.find(name);
    if (it == tasks_.end()) continue;
    Owner& owner = *it->second.owner;
    LiveTask& task = owner.tasks[it->second.index];
    const bool orphan = IsOrphan(task);
    if (!orphan) metrics_.LeaseExpired();
    const absl::Status status = orphan ? PutBack(owner, task) : Retry(owner, task, LeaseExpired(task.row.worker));
    if (!status.ok()) LOG(ERROR) << name << " stays leased: " << status.ToString();
  }
}

}  // namespace bitwright::server
