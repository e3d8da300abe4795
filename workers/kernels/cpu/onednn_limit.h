#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// Holds oneDNN to the instructions of `compute_class`, for SetComputeClass and the products alone. Defined in
// gemm_onednn.cc, the one file that includes oneDNN. FAILED_PRECONDITION, reason COMPUTE_CLASS_FIXED: it is held to
// another class already; INVALID_ARGUMENT, reason COMPUTE_CLASS_UNAVAILABLE: no such class.
absl::Status LimitOneDnn(std::string_view compute_class);

// The compute class whose instructions oneDNN uses now; something that is no class when nobody held it to one. From
// then on it cannot be held to another.
std::string OneDnnClass();

}  // namespace bitwright::worker
