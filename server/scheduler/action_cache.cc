#include "server/scheduler/action_cache.h"

#include <map>
#include <optional>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "server/jobs/task_digest.h"
#include "server/scheduler/job_start.h"
#include "server/scheduler/progress.h"

namespace bitwright::server {
namespace {

// The outputs, if every one of them is still held, row and bytes.
absl::StatusOr<std::optional<std::vector<BlobDigest>>> HeldOutputs(HeldBlobs& blobs, Transaction& tx,
                                                                   const v1::TaskResult& result) {
  std::vector<BlobDigest> outputs;
  for (const v1::TaskOutput& output : result.outputs()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest blob, FromProto(output.digest()));
    ABSL_ASSIGN_OR_RETURN(const bool held, tx.HasBlob(blob));
    if (!held || !blobs.HasFile(blob)) return std::nullopt;
    outputs.push_back(blob);
  }
  return outputs;
}

TaskRow FoundRow(TaskRow row, const std::string& digest, const std::string& result) {
  MoveTask(row, TaskEvent::kFoundInCache);
  row.digest = digest;
  row.result = result;
  row.seconds = 0;
  row.cached = true;
  return row;
}

}  // namespace

absl::StatusOr<bool> FinishFromCache(Core& core, Owner& owner, LiveTask& task, const std::string& digest,
                                     const v1::WorkerCapacity& asker) {
  v1::TaskResult result;
  const auto row_of = [&](Transaction& tx) -> absl::StatusOr<std::optional<TaskRow>> {
    ABSL_ASSIGN_OR_RETURN(const std::optional<std::string> action, tx.GetAction(digest));
    if (!action || !result.ParseFromString(*action)) return std::nullopt;
    ABSL_ASSIGN_OR_RETURN(const auto outputs, HeldOutputs(core.blobs, tx, result));
    if (!outputs) return std::nullopt;
    ABSL_RETURN_IF_ERROR(tx.TouchBlobs(*outputs, ToMicros(core.clock.Now())));
    ABSL_RETURN_IF_ERROR(tx.AddReferences(TasksReference(owner.name), *outputs));
    return FoundRow(task.row, digest, *action);
  };
  ABSL_ASSIGN_OR_RETURN(const bool hit, BeginTask(core, {&owner, &task}, asker, row_of));
  if (!hit) return false;
  core.metrics.CacheHit();
  task.result = std::move(result);
  Changed(core, owner);
  Advance(core, owner);
  return true;
}

void InspectFromCache(Core& core, Owner& owner) {
  if (owner.model() == nullptr || owner.stuck) return;
  LiveTask& task = owner.tasks.front();
  if (task.row.state != TaskState::kReady) return;
  std::map<std::string, v1::WorkerCapacity> versions;
  for (const auto& [name, member] : core.board.fleet().members()) {
    versions[member.capacity.code_version()] = member.capacity;
  }
  for (const auto& [version, capacity] : versions) {
    const auto spec = Concretize(owner, task, capacity.compute_class(), version);
    if (!spec.ok()) return;
    const auto cached = FinishFromCache(core, owner, task, TaskDigest(*spec), capacity);
    if (!cached.ok() || *cached) return;  // found: the owner is gone
  }
}

}  // namespace bitwright::server
