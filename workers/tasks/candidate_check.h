#pragma once

#include "absl/status/status.h"

namespace bitwright::worker {
class Target;
}

namespace bitwright::v1 {
class Allocation;
class ModelInfo;
}  // namespace bitwright::v1

namespace bitwright::worker {

// TASK_INPUT_DAMAGED unless `allocation` has this candidate and it gives the units that the target stores, in their
// order, formats that it has.
absl::Status CheckCandidate(const v1::Allocation& allocation, int candidate, const v1::ModelInfo& info,
                            const Target& target);

}  // namespace bitwright::worker
