#include "server/scheduler/scheduler_errors.h"

#include <string>

#include "absl/strings/cord.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::server {
namespace {

std::string Text(std::string_view view) { return std::string(view); }

}  // namespace

absl::Status WorkerUnknownError(std::string_view worker) {
  return MakeError(absl::StatusCode::kNotFound, Reason::kWorkerUnknown,
                   "the server does not know worker '" + Text(worker) + "', or no longer does; register again",
                   {{"worker", Text(worker)}});
}

absl::Status WorkerNotFoundError(std::string_view worker) {
  return MakeError(absl::StatusCode::kNotFound, "WORKER_NOT_FOUND",
                   "there is no worker '" + Text(worker) + "'; ListWorkers names all", {{"worker", Text(worker)}});
}

absl::Status WorkerDrainedError(std::string_view worker) {
  return MakeError(absl::StatusCode::kFailedPrecondition, Reason::kWorkerDrained,
                   "an operator has drained worker '" + Text(worker) + "'; finish what runs, deregister and end",
                   {{"worker", Text(worker)}});
}

absl::Status TaskNotFoundError(std::string_view task) {
  return MakeError(
      absl::StatusCode::kNotFound, "TASK_NOT_FOUND",
      "there is no task '" + Text(task) + "' of an unfinished job or model; ListWorkers names those that run",
      {{"task", Text(task)}});
}

absl::Status TaskNotRunningError(std::string_view task, std::string_view state) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "TASK_NOT_RUNNING",
      "task '" + Text(task) + "' is " + Text(state) + "; only one that is LEASED can be taken from its worker",
      {{"task", Text(task)}, {"state", Text(state)}});
}

absl::Status LeaseLostError(std::string_view task, int64_t token) {
  return MakeError(
      absl::StatusCode::kAborted, "LEASE_LOST",
      "the lease of '" + Text(task) + "' with fencing token " + std::to_string(token) + " is over; drop the result",
      {{"task", Text(task)}, {"fencing_token", std::to_string(token)}});
}

absl::Status LeaseExpiredError(std::string_view worker) {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kLeaseExpired,
                   "worker '" + Text(worker) + "' was not heard of before its lease ran out", {});
}

absl::Status WorkerDiedError(std::string_view worker) {
  return MakeError(absl::StatusCode::kUnavailable, "WORKER_DIED", "the process of worker '" + Text(worker) + "' ended",
                   {});
}

absl::Status ServerDrainingError() {
  return MakeError(absl::StatusCode::kUnavailable, "SERVER_DRAINING",
                   "the server is shutting down; nothing is lost, call again when it is back");
}

absl::Status OutputMissingError(std::string_view task, std::string_view output) {
  return MakeError(absl::StatusCode::kInternal, Reason::kTaskOutputMissing,
                   "task '" + Text(task) + "' finished without its output '" + Text(output) +
                       "'; server and workers may be of different versions",
                   {{"task", Text(task)}, {"output", Text(output)}});
}

absl::Status OutputInvalidError(std::string_view task, std::string_view output) {
  return MakeError(absl::StatusCode::kInternal, Reason::kTaskOutputInvalid,
                   "output '" + Text(output) + "' of task '" + Text(task) +
                       "' cannot be parsed; server and workers may be of different versions",
                   {{"task", Text(task)}, {"output", Text(output)}});
}

absl::Status TaskErrorMissingError(std::string_view task) {
  return MakeError(absl::StatusCode::kInternal, "TASK_ERROR_MISSING",
                   "task '" + Text(task) + "' was reported as failed without an error", {{"task", Text(task)}});
}

absl::Status ExpansionChangedError(std::string_view owner, std::string_view key) {
  return MakeError(
      absl::StatusCode::kInternal, "EXPANSION_CHANGED",
      "the tasks of '" + Text(owner) + "' changed at '" + Text(key) + "' while it ran; submit the job again",
      {{"task", Text(key)}});
}

absl::Status PinUnmatchedError(std::string_view compute_class, std::string_view code_version) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "WORKER_CLASS_GONE",
                   "the job began on workers of class '" + Text(compute_class) + "' and code version '" +
                       Text(code_version) +
                       "', and no such worker is left; submit it again to run on the workers that are there",
                   {{"compute_class", Text(compute_class)}, {"code_version", Text(code_version)}});
}

absl::Status TaskTooLargeError(std::string_view task, int64_t needed_bytes, int64_t largest_bytes, MemoryOf memory) {
  const std::string of = memory == MemoryOf::kDevice ? "device memory" : "memory";
  return MakeError(
      absl::StatusCode::kResourceExhausted, "TASK_TOO_LARGE",
      "task '" + Text(task) + "' needs about " + std::to_string(needed_bytes) + " bytes of " + of +
          ", the largest worker has " + std::to_string(largest_bytes) + "; add a worker with more " + of +
          " and submit again",
      {{"task", Text(task)}, {"needed", std::to_string(needed_bytes)}, {"limit", std::to_string(largest_bytes)}});
}

absl::Status RowCorruptError(std::string_view name) {
  return MakeError(absl::StatusCode::kDataLoss, "ROW_CORRUPT",
                   "what the database holds of '" + Text(name) +
                       "' cannot be read; see the disk of the server's data directory, and submit again",
                   {{"name", Text(name)}});
}

absl::Status InputLostError(std::string_view task, std::string_view digest) {
  return MakeError(absl::StatusCode::kDataLoss, "BLOB_LOST",
                   "blob " + Text(digest) + ", which task '" + Text(task) +
                       "' reads, is lost on the server, and no task made it; upload the model or text again",
                   {{"task", Text(task)}, {"digest", Text(digest)}});
}

absl::Status WorkersElsewhereError() {
  return MakeError(absl::StatusCode::kFailedPrecondition, "WORKERS_ELSEWHERE",
                   "this server has its tasks run by another engine and takes no workers");
}

absl::Status TaskSpecTooLargeError(std::string_view task, int64_t bytes) {
  return MakeError(
      absl::StatusCode::kResourceExhausted, "TASK_SPEC_TOO_LARGE",
      "task '" + Text(task) + "' has a spec of " + std::to_string(bytes) +
          " bytes, the limit of a message to a worker is " + std::to_string(limits::kMaxTaskSpecBytes) +
          "; give less data, or a model of fewer files",
      {{"task", Text(task)}, {"bytes", std::to_string(bytes)}, {"limit", std::to_string(limits::kMaxTaskSpecBytes)}});
}

absl::Status AttemptsExhaustedError(std::string_view task, int attempts, const absl::Status& last) {
  absl::Status status =
      MakeError(last.code(), "TASK_ATTEMPTS_EXHAUSTED",
                "task '" + Text(task) + "' failed " + std::to_string(attempts) +
                    " times on the workers' side, last with: " + std::string(last.message()),
                {{"task", Text(task)}, {"attempts", std::to_string(attempts)}, {"last_reason", ErrorReason(last)}});
  status.SetPayload("type.googleapis.com/google.rpc.Status", absl::Cord(ToProto(last).SerializeAsString()));
  return status;
}

}  // namespace bitwright::server
