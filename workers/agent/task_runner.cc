#include "workers/agent/task_runner.h"

#include <string>

#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

// What a task may report although another attempt, perhaps elsewhere, can succeed: codes as in run_task.h, and room.
bool IsMachinesFault(const absl::Status& error) {
  const std::string reason = ErrorReason(error);
  return error.code() == absl::StatusCode::kNotFound || error.code() == absl::StatusCode::kUnavailable ||
         reason == Reason::kDiskFull || reason == Reason::kOutOfMemory;
}

bool IsPlainName(const std::string& file) {
  return !file.empty() && file != "." && file != ".." && file.find('/') == std::string::npos &&
         file.find('\0') == std::string::npos;
}

}  // namespace

TaskOutcome TaskRunner::Run(HeldTask& task) {
  const auto dirs = work_dir_.NewTask(lane_dirs_);
  if (!dirs.ok()) return {dirs.status(), true, {}};
  bool own_fault = false;
  auto result = RunIn(*dirs, task, own_fault);
  work_dir_.Remove(*dirs);
  inputs_.ReleaseAll();
  if (result.ok()) return {absl::OkStatus(), false, *std::move(result)};
  return {result.status(), !own_fault, {}};
}

absl::StatusOr<v1::TaskResult> TaskRunner::RunIn(const TaskDirs& dirs, HeldTask& task, bool& own_fault) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> linked,
                        LinkInputs(task.lease.spec(), dirs, inputs_, task.cancel));
  ABSL_ASSIGN_OR_RETURN(const v1::ExecuteEvent event, Execute(dirs, linked, task));
  if (event.has_result()) return HandIn(dirs, event.result(), task.cancel);
  absl::Status error = FromProto(event.error());
  if (error.ok()) return PipeBrokenError("an error event without an error");
  own_fault = !IsMachinesFault(error);
  return error;
}

absl::StatusOr<v1::ExecuteEvent> TaskRunner::Execute(const TaskDirs& dirs, const std::vector<std::string>& linked,
                                                     HeldTask& task) {
  ABSL_ASSIGN_OR_RETURN(const std::shared_ptr<ChildProcess> child, children_.Acquire(task.lease.owner(), linked));
  v1::ExecuteRequest request;
  *request.mutable_task() = task.lease.spec();
  request.set_input_dir(dirs.inputs);
  request.set_output_dir(dirs.outputs);
  request.set_threads(threads_);
  request.set_memory_limit_bytes(memory_limit_bytes_);
  absl::StatusOr<v1::ExecuteEvent> event;
  {
    const CancelToken::Registration registration(task.cancel, [&] { child->Kill(); });
    event = child->Execute(request, [&](double fraction) { task.progress = fraction; });
  }
  children_.Release(event.ok() && event->has_result() && !task.cancel.cancelled(), clock_.Monotonic());
  return event;
}

absl::StatusOr<v1::TaskResult> TaskRunner::HandIn(const TaskDirs& dirs, const v1::ExecuteResult& executed,
                                                  const CancelToken& cancel) {
  Failpoint("agent.executed");
  v1::TaskResult result;
  result.set_seconds(executed.seconds());
  result.set_peak_memory_bytes(executed.peak_memory_bytes());
  std::vector<FileToUpload> files;
  for (const auto& output : executed.outputs()) {
    if (!IsPlainName(output.file())) return OutputUnusableError(output.file(), "is not a plain file name");
    ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(output.digest()));
    files.push_back({std::move(digest), dirs.outputs + "/" + output.file()});
    auto* added = result.add_outputs();
    added->set_name(output.name());
    *added->mutable_digest() = output.digest();
  }
  ABSL_RETURN_IF_ERROR(blobs_.Upload(files, cancel));
  Failpoint("agent.uploaded");
  return result;
}

}  // namespace bitwright::worker
