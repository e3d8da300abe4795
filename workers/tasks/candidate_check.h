#pragma once

#include "absl/status/status.h"

namespace bitwright::v1 {
class Allocation;
class ModelInfo;
}  // namespace bitwright::v1

namespace bitwright::worker {

// TASK_INPUT_DAMAGED unless `allocation` has this candidate and it gives the units of `info`, in their order,
// formats that there are.
absl::Status CheckCandidate(const v1::Allocation& allocation, int candidate, const v1::ModelInfo& info);

}  // namespace bitwright::worker
