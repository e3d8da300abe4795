#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status WorkerUnknownError(std::string_view worker);   // NOT_FOUND, WORKER_UNKNOWN
absl::Status WorkerNotFoundError(std::string_view worker);  // NOT_FOUND, WORKER_NOT_FOUND; said to operators
absl::Status WorkerDrainedError(std::string_view worker);   // FAILED_PRECONDITION, WORKER_DRAINED
absl::Status TaskNotFoundError(std::string_view task);      // NOT_FOUND, TASK_NOT_FOUND
absl::Status TaskNotRunningError(std::string_view task,
                                 std::string_view state);           // FAILED_PRECONDITION, TASK_NOT_RUNNING
absl::Status LeaseLostError(std::string_view task, int64_t token);  // ABORTED, LEASE_LOST
absl::Status LeaseExpiredError(std::string_view worker);            // UNAVAILABLE, LEASE_EXPIRED
absl::Status WorkerDiedError(std::string_view worker);              // UNAVAILABLE, WORKER_DIED
absl::Status ServerDrainingError();                                 // UNAVAILABLE, SERVER_DRAINING
absl::Status OutputMissingError(std::string_view task, std::string_view output);   // INTERNAL, TASK_OUTPUT_MISSING
absl::Status OutputInvalidError(std::string_view task, std::string_view output);   // INTERNAL, TASK_OUTPUT_INVALID
absl::Status TaskErrorMissingError(std::string_view task);                         // INTERNAL, TASK_ERROR_MISSING
absl::Status ExpansionChangedError(std::string_view owner, std::string_view key);  // INTERNAL, EXPANSION_CHANGED
absl::Status RowCorruptError(std::string_view name);                               // DATA_LOSS, ROW_CORRUPT
absl::Status InputLostError(std::string_view task, std::string_view digest);       // DATA_LOSS, BLOB_LOST
absl::Status WorkersElsewhereError();  // FAILED_PRECONDITION, WORKERS_ELSEWHERE

// FAILED_PRECONDITION, WORKER_CLASS_GONE: the job began on workers of a kind that is there no more.
absl::Status PinUnmatchedError(std::string_view compute_class, std::string_view code_version);

// RESOURCE_EXHAUSTED, TASK_TOO_LARGE: no registered worker has the memory, of its host or of its device.
enum class MemoryOf { kHost, kDevice };
absl::Status TaskTooLargeError(std::string_view task, int64_t needed_bytes, int64_t largest_bytes, MemoryOf memory);

// RESOURCE_EXHAUSTED, TASK_SPEC_TOO_LARGE: no message to a worker holds it.
absl::Status TaskSpecTooLargeError(std::string_view task, int64_t bytes);

// The code of the last error, reason TASK_ATTEMPTS_EXHAUSTED. The message holds that of the last error, the metadata
// its reason, and the details all of it as a google.rpc.Status.
absl::Status AttemptsExhaustedError(std::string_view task, int attempts, const absl::Status& last);

}  // namespace bitwright::server
