#include "server/scheduler/results.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/compute_class.h"
#include "proto/contract/digest.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/facts.h"
#include "server/scheduler/job_spans.h"
#include "server/scheduler/late_results.h"
#include "server/scheduler/lost_inputs.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/store/store_errors.h"

namespace bitwright::server {
namespace {

// The leased task that the call is about, if the call can be dealt with now. Nothing: it is answered, or waits for a
// write that is under way.
template <typename Request>
std::optional<TaskBoard::Place> LeaseOf(Core& core, const Request& request, const Answer& answer,
                                        void (*again)(Core&, const Request&, Answer),
                                        void (*late)(Core&, const Request&, Answer)) {
  if (core.fleet != nullptr) (void)core.fleet->Seen(request.worker(), core.clock);  // known or not, as its lease says
  const auto place = core.board.Find(request.task());
  if (place && (place->task->step == TaskStep::kStarting || place->task->step == TaskStep::kEnding)) {
    place->task->when_written.push_back(
        [request, answer, again](Core& under_lock) { again(under_lock, request, answer); });
    return std::nullopt;
  }
  if (!core.board.FindLease(request.task(), request.fencing_token())) {
    late(core, request, answer);
    return std::nullopt;
  }
  const LeaseClaim claim{request.worker(), request.task(), request.fencing_token()};
  if (place->owner->closing || (core.fleet != nullptr && !core.fleet->Holds(claim))) {
    Tell(core, answer, LeaseLostError(request.task(), request.fencing_token()));
    return std::nullopt;
  }
  return place;
}

absl::StatusOr<std::vector<BlobDigest>> OutputDigests(const v1::TaskResult& result) {
  std::vector<BlobDigest> outputs;
  for (const v1::TaskOutput& output : result.outputs()) {
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(output.digest()));
    outputs.push_back(std::move(digest));
  }
  return outputs;
}

// What the server reads of a result is what it should be. Without the lock.
absl::Status Check(Store& store, HeldBlobs& blobs, const OutputToRead& to_read,
                   const std::vector<BlobDigest>& outputs) {
  ABSL_RETURN_IF_ERROR(store.Read([&](Snapshot& snapshot) -> absl::Status {
    for (const BlobDigest& output : outputs) {
      ABSL_ASSIGN_OR_RETURN(const bool held, snapshot.HasBlob(output));
      if (!held) return BlobMissingError(output, "the result of " + to_read.task);
    }
    return absl::OkStatus();
  }));
  Learned ignored;
  return Learn(blobs, to_read, ignored);
}

// The write did not happen: the lease goes on, unless it ended meanwhile.
void OnRefused(Core& core, TaskBoard::Place place, const Answer& answer, const absl::Status& why) {
  LiveTask& task = *place.task;
  task.step = TaskStep::kNone;
  Tell(core, answer, why);
  if (IsServersFault(why)) Refused(core, *place.owner, why);
  if (core.fleet != nullptr && !core.fleet->HasLease(task.row.name, task.row.fencing_token)) {
    RetryTask(core, place, LeaseExpiredError(task.row.worker), nullptr);
  }
  for (auto& call : std::exchange(task.when_written, {})) call(core);
}

void OnCompleted(Core& core, const TaskRow& row, v1::TaskResult result, const Answer& answer,
                 const absl::Status& fate) {
  const auto place = core.board.Find(row.name);
  if (!place || place->task->step != TaskStep::kEnding) {
    return Tell(core, answer, fate.ok() ? fate : LeaseLostError(row.name, row.fencing_token));
  }
  if (!fate.ok()) return OnRefused(core, *place, answer, fate);
  LiveTask& task = *place->task;
  Owner& owner = *place->owner;
  task.step = TaskStep::kNone;
  task.result = std::move(result);
  core.metrics.TaskDone(task.node.spec.kind(), row.seconds);
  core.speed.Measure(DeviceOfClass(task.compute_class), task.node.spec.kind(), task.node.cost_flops, row.seconds);
  if (core.fleet != nullptr) core.fleet->CountBusy(row.worker, row.seconds, core.metrics);
  TellAttempt(core, owner, task, {.time = TimeFromMicros(row.end_micros), .outcome = "done"});
  core.board.SetRow(owner, task, row);
  Tell(core, answer, absl::OkStatus());
  const auto calls = std::exchange(task.when_written, {});
  Vacate(core, owner, task);
  OnDone(core, owner, task);
  Changed(core, owner);
  Advance(core, owner);
  for (const auto& call : calls) call(core);
}

void WriteResult(Core& core, TaskBoard::Place place, v1::TaskResult result, std::vector<BlobDigest> outputs,
                 const Answer& answer) {
  LiveTask& task = *place.task;
  TaskRow row = task.row;
  MoveTask(row, TaskEvent::kCompleted);
  row.result = result.SerializeAsString();
  row.seconds = result.seconds();
  row.end_micros = ToMicros(core.clock.Now());
  Change change;
  change.expected = {{row.name, TaskState::kLeased, row.fencing_token}};
  change.held = outputs;
  change.held_for = "the result of " + row.name;
  change.tasks = {row};
  change.action = ActionRow{place.owner->tenant(), row.digest, row.result, outputs};
  change.references = {{TasksReference(place.owner->name), place.owner->tenant(), std::move(outputs)}};
  Commit(core, *place.owner, std::move(change),
         [row, result = std::move(result), answer](Core& under_lock, Owner*, const absl::Status& fate) {
           OnCompleted(under_lock, row, result, answer, fate);
         });
}

void OnChecked(Core& core, const std::string& name, v1::TaskResult result, std::vector<BlobDigest> outputs,
               const absl::Status& checked, const Answer& answer) {
  const auto place = core.board.Find(name);
  if (!place || place->task->step != TaskStep::kEnding) return Tell(core, answer, LeaseLostError(name, 0));
  if (checked.ok()) return WriteResult(core, *place, std::move(result), std::move(outputs), answer);
  const bool invalid =
      ErrorReason(checked) == Reason::kTaskOutputInvalid || ErrorReason(checked) == Reason::kTaskOutputMissing;
  if (!invalid) return OnRefused(core, *place, answer, checked);
  place->task->step = TaskStep::kNone;
  FailOwner(core, *place->owner, checked, answer);
}

bool InputIsLost(const absl::Status& error) { return ErrorReason(error) == Reason::kBlobNotFound; }

}  // namespace

void CompleteTask(Core& core, const v1::CompleteTaskRequest& request, Answer answer) {
  const auto place = LeaseOf(core, request, answer, &CompleteTask, &LateResult);
  if (!place) return;
  LiveTask& task = *place->task;
  v1::TaskResult result = SortedResult(request.result());
  absl::StatusOr<std::vector<BlobDigest>> outputs = OutputDigests(result);
  if (!outputs.ok()) return Tell(core, answer, outputs.status());
  task.step = TaskStep::kEnding;
  std::optional<OutputToRead> to_read = ToRead(task, result);
  if (!to_read) return WriteResult(core, *place, std::move(result), *std::move(outputs), answer);
  Outside<absl::Status>(
      core,
      [&store = core.store, &blobs = core.blobs, to_read = *std::move(to_read), outputs = *outputs] {
        return Check(store, blobs, to_read, outputs);
      },
      [name = task.row.name, result = std::move(result), outputs = *outputs, answer = std::move(answer)](
          Core& under_lock, absl::Status checked) { OnChecked(under_lock, name, result, outputs, checked, answer); });
}

void FailTask(Core& core, const v1::FailTaskRequest& request, Answer answer) {
  const auto place = LeaseOf(core, request, answer, &FailTask, &LateFailure);
  if (!place) return;
  absl::Status error = FromProto(request.error());
  if (error.ok()) error = TaskErrorMissingError(place->task->node.key);
  if (!request.machinery()) {
    place->task->failure = ToProto(error).SerializeAsString();
    return FailOwner(core, *place->owner, error, std::move(answer));
  }
  if (InputIsLost(error)) return RunSourceAgain(core, *place, error, std::move(answer));
  if (IsServersFault(error)) return PutBack(core, *place, &error, std::move(answer));
  RetryTask(core, *place, error, std::move(answer));
}

}  // namespace bitwright::server
