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
  decltype(&LayerNorm) layer_norm;
  decltype(&ApplyRope) apply_rope;
  decltype(&ApplyRopeInterleaved) apply_rope_interleaved;
  decltype(&Softmax) softmax;
  decltype(&Activate) activate;
  decltype(&ActivateMul) activate_mul;
  decltype(&SoftCap) soft_cap;
  decltype(&AddScaled) add_scaled;
  decltype(&NarrowToBf16) narrow_to_bf16;
  decltype(&RoundAtSite) round_at_site;
};

inline KernelSet ReferenceKernels() {
  return {"reference",
          ReferenceRmsNorm,
          ReferenceLayerNorm,
          ReferenceApplyRope,
          ReferenceApplyRopeInterleaved,
          ReferenceSoftmax,
          ReferenceActivate,
          ReferenceActivateMul,
          ReferenceSoftCap,
          ReferenceAddScaled,
          ReferenceNarrowToBf16,
          ReferenceRoundAtSite};
}

inline KernelSet VectorKernels() {
  return {"vector", RmsNorm,     LayerNorm, ApplyRope, ApplyRopeInterleaved, Softmax,
          Activate, ActivateMul, SoftCap,   AddScaled, NarrowToBf16,         RoundAtSite};
}

}  // namespace bitwright::worker
