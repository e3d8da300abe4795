#pragma once

#include <cstdint>
#include <span>

#include "workers/base/thread_pool.h"
#include "workers/formats/int_format.h"
#include "workers/quantize/rounded_linear.h"
#include "workers/quantize/scales.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

struct RtnOptions {
  ScaleMethod scales = ScaleMethod::kAbsMax;
  DType storage_type = DType::kF32;   // dtype of the model's weights: scales are rounded to it
  DType quotient_type = DType::kF32;  // w / scale is rounded to it before it becomes a code. compressed-tensors divides
                                      // in the weight's dtype; F32 gives the nearest code
};

// Rounds each weight to the nearest code: code = clamp(round half to even(w / scale)).
//   weights  f32 [out, in], finite
//   diagonal f32 [in], of the second moment; read by kSearched only, may be empty: all weights count alike
// format.Fits(in) must hold. Pieces of 64 rows run on the pool.
RoundedLinear RoundToNearest(std::span<const float> weights, int64_t out, int64_t in, IntFormat format,
                             std::span<const float> diagonal, const RtnOptions& options, ThreadPool& pool);

}  // namespace bitwright::worker
