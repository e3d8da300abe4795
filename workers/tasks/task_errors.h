#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::v1 {
class Allocation;
class ModelInfo;
}  // namespace bitwright::v1

namespace bitwright::worker {

// Faults of a task's inputs: INVALID_ARGUMENT, never retried.
namespace task_errors {

absl::Status InputMissing(const std::string& name);                          // TASK_INPUT_MISSING
absl::Status InputDamaged(const std::string& name, const std::string& why);  // TASK_INPUT_DAMAGED

}  // namespace task_errors

// TASK_INPUT_DAMAGED unless `allocation` has this candidate and it names the units of `info` in their order.
absl::Status CheckCandidate(const v1::Allocation& allocation, int candidate, const v1::ModelInfo& info);

}  // namespace bitwright::worker
