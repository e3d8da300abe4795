#pragma once

#include <algorithm>
#include <cstdint>

#include "workers/kernels/cpu/row_lanes.h"

namespace bitwright::worker {

// Transposes rows [first, first + 64) of W f32 [out, in], rows `stride` apart, into to [in, 64]; columns taken in
// `order` (null: in order), zero where dead (null: nowhere, by column of W) and for rows past the last.
inline void GatherRows(const float* weights, int64_t stride, int64_t out, int64_t in, int64_t first,
                       const int32_t* order, const uint8_t* dead, float* to) {
  const int64_t rows = std::min(kLaneRows, out - first);
  if (rows < kLaneRows) std::fill_n(to, in * kLaneRows, 0.0f);
  for (int64_t j = 0; j < in; ++j) {
    const int64_t column = order == nullptr ? j : order[j];
    const float* from = weights + first * stride + column;
    float* lane = to + j * kLaneRows;
    if (dead != nullptr && dead[column]) {
      std::fill_n(lane, kLaneRows, 0.0f);
    } else {
      for (int64_t r = 0; r < rows; ++r) lane[r] = from[r * stride];
    }
  }
}

// The way back for codes [in, 64].
inline void ScatterCodes(const int8_t* codes, int64_t out, int64_t in, int64_t first, const int32_t* order,
                         int8_t* to) {
  const int64_t rows = std::min(kLaneRows, out - first);
  for (int64_t j = 0; j < in; ++j) {
    int8_t* column = to + first * in + (order == nullptr ? j : order[j]);
    for (int64_t r = 0; r < rows; ++r) column[r * in] = codes[j * kLaneRows + r];
  }
}

// Scales [groups, 64] into [out, groups].
inline void ScatterScales(const float* scales, int64_t out, int64_t groups, int64_t first, float* to) {
  const int64_t rows = std::min(kLaneRows, out - first);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < groups; ++g) to[(first + r) * groups + g] = scales[g * kLaneRows + r];
  }
}

}  // namespace bitwright::worker
