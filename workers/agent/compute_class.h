#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright {

// Instruction sets that decide floating-point results, from narrow to wide:
//   cpu-x86-64-v2    SSE4.2, what the build needs
//   cpu-avx2         AVX2, FMA, F16C
//   cpu-avx512       AVX-512 F, BW, DQ, VL
//   cpu-avx512-bf16  and AVX512_BF16
// Each needs the operating system to save its registers (XCR0). The widest one that this machine has.
std::string DetectComputeClass();

// `requested` when this machine has it, to make it work like a narrower one; empty: `detected`.
// INVALID_ARGUMENT, reason COMPUTE_CLASS_UNKNOWN or COMPUTE_CLASS_UNAVAILABLE.
absl::StatusOr<std::string> ChooseComputeClass(std::string_view detected, std::string_view requested);

}  // namespace bitwright
