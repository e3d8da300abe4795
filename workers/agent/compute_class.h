#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright {

// The compute class (workers/kernels/compute_class.h) to work in: `requested` when this machine has it, to make it work like a narrower one; empty: `detected`.
// INVALID_ARGUMENT, reason COMPUTE_CLASS_UNKNOWN or COMPUTE_CLASS_UNAVAILABLE.
absl::StatusOr<std::string> ChooseComputeClass(std::string_view detected, std::string_view requested);

}  // namespace bitwright
