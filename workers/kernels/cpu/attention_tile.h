#pragma once

#include <algorithm>
#include <cstdint>

#include "workers/kernels/cpu/cpu_attention.h"
#include "workers/kernels/device.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {

// Queries [first, first + rows) of a window, and the keys that any of them sees: [key_begin, first + rows).
struct AttentionTile {
  int64_t first = 0;
  int64_t rows = 0;
  int64_t key_begin = 0;
  int64_t reach = 0;

  AttentionTile(const AttentionParts& parts, int64_t tile) : first(tile * kQueryTile), reach(parts.reach) {
    rows = std::min(kQueryTile, parts.window - first);
    key_begin = reach > 0 ? std::max<int64_t>(first - reach + 1, 0) : 0;
  }
  int64_t keys() const { return first + rows - key_begin; }
  // The keys that query `row` of the tile sees, counted from key_begin.
  int64_t seen_begin(int64_t row) const {
    return reach > 0 ? std::max<int64_t>(first + row - reach + 1, 0) - key_begin : 0;
  }
  int64_t seen_end(int64_t row) const { return first + row + 1 - key_begin; }
};

// scores [tile.rows, tile.keys()] of one head before the softmax: scale · q kᵀ, capped. Of keys that a query does not
// see, too.
inline void ScoreTile(const AttentionParts& parts, const AttentionTile& tile, const float* q, int64_t q_stride,
                      const float* k, int64_t k_stride, int64_t dim, float* scores) {
  const int64_t keys = tile.keys();
  GemmF32(false, true, tile.rows, keys, dim, parts.scale, q, q_stride, k, k_stride, 0.0f, scores, keys);
  if (parts.soft_cap > 0) SoftCap(parts.soft_cap, scores, tile.rows * keys);
}

}  // namespace bitwright::worker
