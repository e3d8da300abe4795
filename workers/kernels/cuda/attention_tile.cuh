#pragma once

#include "workers/kernels/cuda/launch.h"

// Products of tiles for attention and its way back: 64 rows by 64 columns in shared memory, a part of each in the
// registers of every thread. Thread t has rows kRows · (t / 16) …, and of 64 columns 4 · (t % 16) …; a block has
// 16 · 64 / kRows threads.
namespace bitwright::worker::cuda {

constexpr int kTile = 64;
constexpr int kLane = 16;          // threads that share rows
constexpr int kDims = 32;          // of a head that are in shared memory at a time
constexpr int kPitch = kTile + 4;  // between dims there: whole quarters of a vector, and other banks
constexpr int kTurned = kDims * kPitch;

template <int kRows>
constexpr int kTileThreads = kLane* kTile / kRows;

// At most 64 rows of one head: element (r, d) is data[r · stride + d]. Those past `rows` count as 0.
struct HeadTile {
  const float* data;
  int64_t stride;
  int rows;
  int dim;
};

struct TileMemory {
  float operands[2 * kTurned];
  float weights[kTile * kTile];
};

// Where `weights` holds four neighbouring rows, number `group` of 16, of a column: shuffled, so that threads that write
// columns and threads that read rows meet in no bank.
__device__ inline float4* WeightsAt(TileMemory& memory, int column, int group) {
  return reinterpret_cast<float4*>(&memory.weights[column * kTile + ((group ^ ((column / 4) & 15)) * 4)]);
}

__device__ inline float4 Four(const float* from) { return *reinterpret_cast<const float4*>(from); }

// to[d][r] = tile (r, first + d)
template <int kThreadCount>
__device__ void LoadTurned(const HeadTile& tile, int first, float* to) {
  for (int i = threadIdx.x; i < kTile * kDims; i += kThreadCount) {
    const int group = i / 32, lane = i % 32;  // a warp takes 4 rows of 8 dims: whole sectors, and every bank once
    const int r = group % 16 * 4 + lane / 8, d = group / 16 * 8 + lane % 8;
    const bool within = r < tile.rows && first + d < tile.dim;
    to[d * kPitch + r] = within ? tile.data[r * tile.stride + first + d] : 0.0f;
  }
}

// sums [kRows][4] = the products of rows of `a` with rows of `b`.
template <int kRows>
__device__ void MultiplyTiles(const HeadTile& a, const HeadTile& b, TileMemory& memory, float (&sums)[kRows][4]) {
  const int row = threadIdx.x / kLane * kRows, column = threadIdx.x % kLane * 4;
#pragma unroll
  for (int i = 0; i < kRows; ++i) sums[i][0] = sums[i][1] = sums[i][2] = sums[i][3] = 0;
  float* of_a = memory.operands;
  float* of_b = memory.operands + kTurned;
  for (int first = 0; first < a.dim; first += kDims) {
    __syncthreads();  // all have read what was there
    LoadTurned<kTileThreads<kRows>>(a, first, of_a);
    LoadTurned<kTileThreads<kRows>>(b, first, of_b);
    __syncthreads();
    const int dims = min(kDims, a.dim - first);
#pragma unroll 8
    for (int d = 0; d < dims; ++d) {
      const float4 right = Four(of_b + d * kPitch + column);
      float left[kRows];
#pragma unroll
      for (int i = 0; i < kRows; i += 4) *reinterpret_cast<float4*>(left + i) = Four(of_a + d * kPitch + row + i);
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        sums[i][0] += left[i] * right.x;
        sums[i][1] += left[i] * right.y;
        sums[i][2] += left[i] * right.z;
        sums[i][3] += left[i] * right.w;
      }
    }
  }
}

// memory.weights = the tile of which every thread has its part.
template <int kRows>
__device__ void StoreWeights(const float (&part)[kRows][4], TileMemory& memory) {
  const int group = threadIdx.x / kLane * (kRows / 4), column = threadIdx.x % kLane * 4;
  __syncthreads();  // all have read what was there
#pragma unroll
  for (int j = 0; j < 4; ++j) {
#pragma unroll
    for (int i = 0; i < kRows; i += 4) {
      *WeightsAt(memory, column + j, group + i / 4) =
          make_float4(part[i][j], part[i + 1][j], part[i + 2][j], part[i + 3][j]);
    }
  }
}

// sums [kRows][4 · kSlices] += memory.weights · the rows of `x`; part 4 · s + j of a thread is dim
// 64 · s + 4 · (t % 16) + j.
template <int kRows, int kSlices>
__device__ void AddWeighted(const HeadTile& x, TileMemory& memory, float (&sums)[kRows][4 * kSlices]) {
  constexpr int kWidth = kSlices * kTile, kStep = kSlices == 1 ? 64 : kSlices == 2 ? 32 : 16;
  static_assert(kStep * kWidth <= 2 * kTurned);
  const int group = threadIdx.x / kLane * (kRows / 4), column = threadIdx.x % kLane * 4;
  for (int first = 0; first < x.rows; first += kStep) {
    __syncthreads();  // the weights are there, and all have read the operands
    for (int i = threadIdx.x; i < kStep * kWidth; i += kTileThreads<kRows>) {
      const int r = first + i / kWidth, d = i % kWidth;
      memory.operands[i] = r < x.rows && d < x.dim ? x.data[r * x.stride + d] : 0.0f;
    }
    __syncthreads();
#pragma unroll 4
    for (int k = 0; k < kStep; ++k) {
      float weights[kRows];
#pragma unroll
      for (int i = 0; i < kRows; i += 4) {
        *reinterpret_cast<float4*>(weights + i) = *WeightsAt(memory, first + k, group + i / 4);
      }
#pragma unroll
      for (int s = 0; s < kSlices; ++s) {
        const float4 value = Four(memory.operands + k * kWidth + s * kTile + column);
#pragma unroll
        for (int i = 0; i < kRows; ++i) {
          sums[i][4 * s] += weights[i] * value.x;
          sums[i][4 * s + 1] += weights[i] * value.y;
          sums[i][4 * s + 2] += weights[i] * value.z;
          sums[i][4 * s + 3] += weights[i] * value.w;
        }
      }
    }
  }
}

// Over the threads that share rows.
__device__ inline float LaneSum(float value) {
  for (int step = kLane / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}
__device__ inline float LaneMaximum(float value) {
  for (int step = kLane / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
  return value;
}

}  // namespace bitwright::worker::cuda
