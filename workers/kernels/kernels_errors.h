#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason COMPUTE_CLASS_UNAVAILABLE: unknown, or above `offered`; metadata: compute_class.
absl::Status ComputeClassUnavailableError(std::string_view compute_class, const std::string& offered);

// FAILED_PRECONDITION, reason COMPUTE_CLASS_FIXED: a kernel has already run in this process; metadata: compute_class.
absl::Status ComputeClassFixedError(std::string_view compute_class);

}  // namespace bitwright::worker
