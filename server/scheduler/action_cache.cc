#include "server/scheduler/action_cache.h"

#include <utility>

#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/digest.h"
#include "server/scheduler/job_spans.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/starting.h"

namespace bitwright::server {
namespace {

absl::Status TryLookUp(Store& store, const std::string& tenant, const std::string& digest, Found& found) {
  return store.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(std::optional<std::string> action, snapshot.GetAction(tenant, digest));
    if (!action || !found.parsed.ParseFromString(*action)) return absl::OkStatus();
    for (const v1::TaskOutput& output : found.parsed.outputs()) {
      ABSL_ASSIGN_OR_RETURN(const BlobDigest blob, FromProto(output.digest()));
      ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.HasBlob(blob));
      if (!held) return absl::OkStatus();
      found.outputs.push_back(blob);
    }
    found.result = *std::move(action);
    return absl::OkStatus();
  });
}

TaskRow FoundRow(TaskRow row, const std::string& digest, const std::string& result, absl::Time now) {
  MoveTask(row, TaskEvent::kFoundInCache);
  row.digest = digest;
  row.result = result;
  row.seconds = 0;
  row.cached = true;
  row.end_micros = ToMicros(now);
  if (row.begin_micros == 0) row.begin_micros = row.end_micros;
  return row;
}

void OnFinished(Core& core, const absl::Status& fate, TaskRow row, const std::optional<JobRow>& job_row,
                v1::TaskResult result) {
  const auto place = core.board.Find(row.name);
  if (!place || place->task->step != TaskStep::kLookup) return;
  Owner& owner = *place->owner;
  LiveTask& task = *place->task;
  if (!fate.ok()) {
    OnNotBegun(owner);
    if (!IsServersFault(fate)) return Enqueue(core, owner, task);  // an output has gone
    task.step = TaskStep::kNone;
    return Refused(core, owner, fate);
  }
  task.step = TaskStep::kNone;
  task.result = std::move(result);
  TellAttempt(core, owner, task, {.time = TimeFromMicros(row.end_micros), .outcome = "done", .cached = true});
  core.board.SetRow(owner, task, std::move(row));
  core.metrics.CacheHit();
  OnBegun(core, owner, job_row);
  OnDone(core, owner, task);
  Changed(core, owner);
  Advance(core, owner);
}

}  // namespace

Found LookUp(Store& store, HeldBlobs& blobs, const std::string& tenant, const std::string& digest) {
  Found found;
  found.status = TryLookUp(store, tenant, digest, found);
  for (const BlobDigest& output : found.outputs) {
    if (!blobs.HasFile(output)) found.result.reset();
  }
  return found;
}

void FinishFromCache(Core& core, Owner& owner, LiveTask& task, Found found) {
  TaskRow row = FoundRow(task.row, task.digest, *found.result, core.clock.Now());
  Change change;
  change.expected = {{row.name, task.stored, row.fencing_token}};
  change.tasks = {row};
  std::optional<JobRow> job_row = BegunRow(core, owner, task);
  change.job = job_row;
  change.held = found.outputs;
  change.held_for = "a kept result";
  change.references = {{TasksReference(owner.name), owner.tenant(), std::move(found.outputs)}};
  Commit(
      core, owner, std::move(change),
      [row = std::move(row), job_row = std::move(job_row), result = std::move(found.parsed)](
          Core& under_lock, Owner*, const absl::Status& fate) { OnFinished(under_lock, fate, row, job_row, result); });
}

}  // namespace bitwright::server
