#pragma once

#include <cstdint>
#include <string>

#include "workers/kernels/elementwise.h"

namespace bitwright::worker {

// One implementation of workers/kernels/elementwise.h as data, so that one suite runs over all. In a process that was
// lowered to a compute class, the vector set runs on that class.
struct KernelSet {
  std::string name;
  decltype(&RmsNorm) rms_norm;
  decltype(&ApplyRope) apply_rope;
  decltype(&Softmax) softmax;
  decltype(&SiluMul) silu_mul;
  decltype(&AddBias) add_bias;
  decltype(&AddInto) add_into;
  decltype(&NarrowToBf16) narrow_to_bf16;
};

inline KernelSet ReferenceKernels() {
  return {"reference",      ReferenceRmsNorm, ReferenceApplyRope, ReferenceSoftmax,
          ReferenceSiluMul, ReferenceAddBias, ReferenceAddInto,   ReferenceNarrowToBf16};
}

inline KernelSet VectorKernels() {
  return {"vector", RmsNorm, ApplyRope, Softmax, SiluMul, AddBias, AddInto, NarrowToBf16};
}

}  // namespace bitwright::worker
