#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason MOMENT_NOT_FINITE: a second moment holds NaN, infinity or a negative diagonal element.
absl::Status MomentNotFiniteError(int64_t row, int64_t column);

// FAILED_PRECONDITION, reason MOMENT_NOT_POSITIVE: the damped second moment has no factorization.
absl::Status MomentNotPositiveError(int64_t column, double damping);

// INVALID_ARGUMENT, reason WEIGHTS_DAMAGED: packed units whose metadata and tensors do not agree; metadata: name.
absl::Status WeightsDamagedError(const std::string& name, const std::string& why);

}  // namespace bitwright::worker
