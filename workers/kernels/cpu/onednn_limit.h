#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// Holds oneDNN to the instructions of `compute_class`, for SetComputeClass alone. Defined in gemm_onednn.cc, the one
// file that includes oneDNN. FAILED_PRECONDITION, reason COMPUTE_CLASS_FIXED.
absl::Status LimitOneDnn(std::string_view compute_class);

}  // namespace bitwright::worker
