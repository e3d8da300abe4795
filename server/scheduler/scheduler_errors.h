#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::server {

absl::Status WorkerUnknown(std::string_view worker);                          // NOT_FOUND, WORKER_UNKNOWN
absl::Status LeaseLost(std::string_view task, int64_t token);                 // ABORTED, LEASE_LOST
absl::Status LeaseExpired(std::string_view worker);                           // UNAVAILABLE, LEASE_EXPIRED
absl::Status WorkerDied(std::string_view worker);                             // UNAVAILABLE, WORKER_DIED
absl::Status ServerDraining();                                                // UNAVAILABLE, SERVER_DRAINING
absl::Status OutputMissing(std::string_view task, std::string_view output);   // INTERNAL, TASK_OUTPUT_MISSING
absl::Status OutputInvalid(std::string_view task, std::string_view output);   // INTERNAL, TASK_OUTPUT_INVALID
absl::Status ErrorMissing(std::string_view task);                             // INTERNAL, TASK_ERROR_MISSING
absl::Status ExpansionChanged(std::string_view owner, std::string_view key);  // INTERNAL, EXPANSION_CHANGED

// FAILED_PRECONDITION, WORKER_CLASS_GONE: the job began on workers of a kind that is there no more.
absl::Status PinUnmatched(std::string_view compute_class, std::string_view code_version);

// RESOURCE_EXHAUSTED, TASK_TOO_LARGE: no registered worker has the memory.
absl::Status TaskTooLarge(std::string_view task, int64_t needed_bytes, int64_t largest_bytes);

// The code of the last error, reason TASK_ATTEMPTS_EXHAUSTED; the last error stands in the message, its reason in the
// metadata and all of it as a google.rpc.Status among the details.
absl::Status AttemptsExhausted(std::string_view task, int attempts, const absl::Status& last);

}  // namespace bitwright::server
