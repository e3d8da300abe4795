#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason MOMENT_NOT_FINITE: a second moment holds NaN, infinity or a negative diagonal element.
absl::Status MomentNotFinite(int64_t row, int64_t column);

// FAILED_PRECONDITION, reason MOMENT_NOT_POSITIVE: the damped second moment has no factorization.
absl::Status MomentNotPositive(int64_t column, double damping);

}  // namespace bitwright::worker
