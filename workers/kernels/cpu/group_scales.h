#pragma once

#include <cstdint>

#include "workers/kernels/rounding.h"

namespace bitwright::worker {

// Scales of one group for 64 rows side by side.
//   w        f32 [columns, 64], transposed
//   weights  f32 [columns], h_j ≥ 0; read by kSearched only
//   scales   f32 [64], out
// Thread-safe; the same bits on any number of threads.
void GroupScales(ScaleMethod method, const IntGrid& grid, const float* w, int64_t columns, const float* weights,
                 float* scales);

}  // namespace bitwright::worker
