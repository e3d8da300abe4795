#include "server/scheduler/results.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "server/blobs/blob_errors.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/progress.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

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

absl::StatusOr<std::vector<BlobDigest>> OutputDigests(const v1::TaskResult& result) {
  std::vector<BlobDigest> outputs;
  for (const v1::TaskOutput& output : result.outputs()) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(output.digest()));
    outputs.push_back(std::move(digest));
  }
  return outputs;
}

// The row of a task whose lease had this token last. ABORTED, reason LEASE_LOST.
absl::StatusOr<TaskRow> LateRow(Core& core, const std::string& task, int64_t token) {
  std::optional<TaskRow> row;
  ABSL_RETURN_IF_ERROR(core.store.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(row, snapshot.GetTask(task));
    return absl::OkStatus();
  }));
  if (!row || row->fencing_token != token) return LeaseLostError(task, token);
  return *std::move(row);
}

absl::Status LateResult(Core& core, const v1::CompleteTaskRequest& request, const v1::TaskResult& given) {
  ABSL_ASSIGN_OR_RETURN(const TaskRow row, LateRow(core, request.task(), request.fencing_token()));
  v1::TaskResult kept;
  const bool same = row.state == TaskState::kDone && kept.ParseFromString(row.result) && SameOutputs(given, kept);
  return same ? absl::OkStatus() : LeaseLostError(request.task(), request.fencing_token());
}

// A failure was noted, unless the lease was merely taken away.
absl::Status LateFailure(Core& core, const v1::FailTaskRequest& request) {
  ABSL_ASSIGN_OR_RETURN(const TaskRow row, LateRow(core, request.task(), request.fencing_token()));
  const bool noted =
      (row.state == TaskState::kWaiting || row.state == TaskState::kReady || row.state == TaskState::kFailed) &&
      !row.error.empty();
  return noted ? absl::OkStatus() : LeaseLostError(request.task(), request.fencing_token());
}

// Writes the finished task, its entry in the action cache and who needs its outputs, provided that the stored lease is
// still this one and the outputs are held.
absl::Status PutResult(Core& core, const Owner& owner, const TaskRow& row, const std::vector<BlobDigest>& outputs) {
  return core.store.Write([&](Transaction& tx) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(const std::optional<TaskRow> stored, tx.GetTask(row.name));
    if (!stored || stored->state != TaskState::kLeased || stored->fencing_token != row.fencing_token) {
      return LeaseLostError(row.name, row.fencing_token);
    }
    for (const BlobDigest& output : outputs) {
      ABSL_ASSIGN_OR_RETURN(const bool held, tx.HasBlob(output));
      if (!held) return BlobMissingError(output, "the result of " + row.name);
    }
    ABSL_RETURN_IF_ERROR(tx.PutTask(row));
    ABSL_RETURN_IF_ERROR(tx.TouchBlobs(outputs, ToMicros(core.clock.Now())));
    ABSL_RETURN_IF_ERROR(tx.PutAction(row.digest, row.result, outputs));
    return tx.AddReferences(TasksReference(owner.name), outputs);
  });
}

}  // namespace

absl::Status CompleteTask(Core& core, const v1::CompleteTaskRequest& request) {
  v1::TaskResult result = Sorted(request.result());
  const std::optional<TaskBoard::Place> place = core.board.FindLease(request.task(), request.fencing_token());
  if (!place) return LateResult(core, request, result);
  LiveTask& task = *place->task;
  ABSL_ASSIGN_OR_RETURN(const std::vector<BlobDigest> outputs, OutputDigests(result));
  TaskRow row = task.row;
  MoveTask(row, TaskEvent::kCompleted);
  row.result = result.SerializeAsString();
  row.seconds = result.seconds();
  ABSL_RETURN_IF_ERROR(PutResult(core, *place->owner, row, outputs));
  core.board.SetRow(task, std::move(row));
  core.metrics.TaskDone(task.node.spec.kind(), result.seconds());
  core.speed.Measure(task.node.spec.kind(), task.node.cost_flops, result.seconds());
  task.result = std::move(result);
  Changed(core, *place->owner);
  Advance(core, *place->owner);
  return absl::OkStatus();
}

absl::Status FailTask(Core& core, const v1::FailTaskRequest& request) {
  const std::optional<TaskBoard::Place> place = core.board.FindLease(request.task(), request.fencing_token());
  if (!place) return LateFailure(core, request);
  absl::Status error = FromProto(request.error());
  if (error.ok()) error = TaskErrorMissingError(place->task->node.key);
  if (request.machinery()) return RetryTask(core, *place, error);
  TaskRow row = place->task->row;
  MoveTask(row, TaskEvent::kFailed);
  row.error = ToProto(error).SerializeAsString();
  core.board.SetRow(*place->task, std::move(row));
  return FailOwner(core, *place->owner, error);
}

}  // namespace bitwright::server
