#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// The name under which floating-point results are reproducible to the bit, from what processor and system offer:
// "cpu-avx512-bf16", "cpu-avx512", "cpu-avx2" or "cpu-x86-64-v2".
std::string DetectComputeClass();

// Holds every kernel of this process to the instructions of `compute_class`, which may be lower than the detected one.
// A device's class ("cuda-sm90-132") holds the processor's kernels to "cpu-avx2", so that the host beside the device
// changes no bit; whether the device is there is not asked. Call before the first kernel. INVALID_ARGUMENT, reason
// COMPUTE_CLASS_UNAVAILABLE: unknown, or above the processor's.
absl::Status SetComputeClass(std::string_view compute_class);

// The processor's class in force: what SetComputeClass set, else the detected one.
std::string ComputeClass();

// Whether bf16 products run on bf16 instructions in the class in force.
bool HasBf16Gemm();

}  // namespace bitwright::worker
