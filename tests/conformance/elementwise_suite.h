#pragma once

#include "tests/conformance/kernel_set.h"

namespace bitwright::worker {

// Holds one implementation of elementwise.h to formulas computed in f64: sizes around vector widths, unaligned memory,
// extreme values, and no write outside its output. Each reports by EXPECT_*.
void CheckRmsNorm(const KernelSet& kernels);
void CheckLayerNorm(const KernelSet& kernels);
void CheckApplyRope(const KernelSet& kernels);
void CheckSoftmax(const KernelSet& kernels);
void CheckActivations(const KernelSet& kernels);
void CheckSoftCap(const KernelSet& kernels);
void CheckAdd(const KernelSet& kernels);
void CheckNarrowToBf16(const KernelSet& kernels);
void CheckRoundAtSite(const KernelSet& kernels);
void CheckAllElementwise(const KernelSet& kernels);

// Holds GemmF32 and GemmBf16 to plain f64 loops: strides, transposes, alpha and beta, odd shapes, k = 0.
void CheckGemmF32();
void CheckGemmBf16();

}  // namespace bitwright::worker
