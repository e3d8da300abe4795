#pragma once

#include <cstdint>

#include "absl/status/status.h"

namespace bitwright::worker {

// FAILED_PRECONDITION, reason EVALUATION_EMPTY.
absl::Status EvaluationEmptyError();

// FAILED_PRECONDITION, reason EVALUATION_NOT_FINITE.
absl::Status EvaluationNotFiniteError(int64_t token);

}  // namespace bitwright::worker
