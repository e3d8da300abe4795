#pragma once

#include <cstdint>
#include <string_view>

#include "workers/formats/int_format.h"
#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// How the scale of a group is chosen. Always rounded to the dtype in which it is stored before any code is computed.
// An all-zero group (or one whose scale vanishes in that dtype) gets the dtype's epsilon, as compressed-tensors gives
// it.
enum class ScaleMethod {
  kAbsMax,    // max|w| · 2/(2^bits − 1): compressed-tensors' observer ("ct"). The extremes lie half a step outside
  kSearched,  // the clip of kAbsMax that minimizes Σ_j h_j (w_j − q_j)², h ≥ 0 as the caller weighs columns
};

// Scales of one group for 64 rows side by side.
//   w        f32 [columns, 64], transposed
//   weights  f32 [columns], h_j ≥ 0; read by kSearched only
//   scales   f32 [64], out
// Thread-safe; the same bits on any number of threads.
void GroupScales(ScaleMethod method, int bits, DType storage_type, const float* w, int64_t columns,
                 const float* weights, float* scales);

}  // namespace bitwright::worker
