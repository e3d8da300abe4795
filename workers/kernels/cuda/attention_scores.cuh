#pragma once

#include "workers/kernels/cuda/attention.h"
#include "workers/kernels/cuda/attention_tile.cuh"

// Which queries and keys meet, and what their products become.
namespace bitwright::worker::cuda {

// One tile of queries or keys of a head. The tiles with the most to do begin first, those at the end of a window of
// queries or at the beginning of one of keys.
struct TilePlace {
  int64_t window_row;  // the first of the window
  int head;
  int first;  // row within the window
  int rows;

  __device__ TilePlace(const AttentionShape& shape, int64_t heads, bool last_first) {
    const int tiles = (shape.window + kTile - 1) / kTile;
    const unsigned in_tile = gridDim.x / static_cast<unsigned>(tiles);  // heads of all windows
    const int tile = static_cast<int>(blockIdx.x / in_tile);
    const unsigned rest = blockIdx.x % in_tile, count = static_cast<unsigned>(heads);
    head = static_cast<int>(rest % count);
    window_row = int64_t{rest / count} * shape.window;
    first = (last_first ? tiles - 1 - tile : tile) * kTile;
    rows = min(kTile, shape.window - first);
  }
};

// Rows first … of a head within a window.
__device__ inline HeadTile TileOf(const HeadRows& heads, int64_t window_row, int64_t head, int first, int window) {
  const bool quads = (reinterpret_cast<uintptr_t>(heads.x.data) % 16 == 0) && heads.x.stride % 4 == 0 &&
                     heads.stride % 4 == 0 && heads.dim % 4 == 0;
  return {heads.x.Row(window_row + first) + head * heads.stride, heads.x.stride, min(kTile, window - first),
          static_cast<int>(heads.dim), quads};
}

__device__ inline bool Meet(const AttentionShape& shape, int query, int key) {
  return key <= query && query < shape.window && (shape.reach == 0 || query - shape.reach < key);
}

// The first tile of keys that any query from `first` on sees.
__device__ inline int FirstKeys(const AttentionShape& shape, int first) {
  return shape.reach == 0 ? 0 : max(first - shape.reach + 1, 0) / kTile * kTile;
}

__device__ inline float ScoreOf(const AttentionShape& shape, float product) {
  const float score = shape.scale * product;
  return shape.soft_cap > 0 ? shape.soft_cap * tanhf(score / shape.soft_cap) : score;
}

// The derivative of a score with respect to the product.
__device__ inline float ScoreSlope(const AttentionShape& shape, float score) {
  if (!(shape.soft_cap > 0)) return shape.scale;
  const float share = score / shape.soft_cap;
  return shape.scale * (1 - share * share);
}

}  // namespace bitwright::worker::cuda
