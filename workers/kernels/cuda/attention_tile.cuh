#pragma once

#include "workers/kernels/cuda/tile_memory.cuh"

// Products of tiles of 64 × 64 for attention and its way back, on tensor cores with the accuracy of f32: each number is
// split into two of TF32's 11 bits, and of the four products of two such pairs all but that of the two low parts are
// summed (Ootomo and Yokota, arXiv 2203.03341: an error of about 2⁻²² of each product). Tensor cores cut what they sum
// off instead of rounding it: they sum at most 64 products, and those sums are added up outside.
//
// What every warp of a block multiplies with is split where it is brought into shared memory, once for all.
//
// A block has four warps, each with 16 rows of a tile. Of a tile in registers, part[n][i], a thread has the rows g
// (i < 2) and g + 8 and the columns 8 n + 2 t + i mod 2, with g = lane / 4 and t = lane mod 4: what
// mma.m16n8k8 gives (PTX ISA, "Matrix Fragments for mma.m16n8k8").
namespace bitwright::worker::cuda {

struct TilePlaceOfThread {
  int row, column;  // of part[0][0]

  __device__ TilePlaceOfThread() : row(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4), column(threadIdx.x % 4 * 2) {}
};

__device__ inline void MultiplyAdd(uint32_t a0, uint32_t a1, uint32_t a2, uint32_t a3, uint32_t b0, uint32_t b1,
                                   float (&sums)[4]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

// sums += a [16 rows, 8] · b [8, 32 columns]; b(n, i) for i < 2 are a thread's elements of the columns from 8 n on.
template <typename B>
__device__ void MultiplyHalf(const float (&a)[4], const B& b, float (&sums)[kGroups / 2][4]) {
  Halves left[4], right[kGroups / 2][2];
#pragma unroll
  for (int i = 0; i < 4; ++i) left[i] = Halves(a[i]);
#pragma unroll
  for (int n = 0; n < kGroups / 2; ++n) {
    right[n][0] = b(n, 0);
    right[n][1] = b(n, 1);
  }
#pragma unroll
  for (int n = 0; n < kGroups / 2; ++n) {
    MultiplyAdd(left[0].low, left[1].low, left[2].low, left[3].low, right[n][0].high, right[n][1].high, sums[n]);
  }
#pragma unroll
  for (int n = 0; n < kGroups / 2; ++n) {
    MultiplyAdd(left[0].high, left[1].high, left[2].high, left[3].high, right[n][0].low, right[n][1].low, sums[n]);
  }
#pragma unroll
  for (int n = 0; n < kGroups / 2; ++n) {
    MultiplyAdd(left[0].high, left[1].high, left[2].high, left[3].high, right[n][0].high, right[n][1].high, sums[n]);
  }
}

// part = the products of rows of `a` with rows of `b`.
__device__ inline void MultiplyTiles(const HeadTile& a, const HeadTile& b, TileMemory& memory,
                                     float (&part)[kGroups][4]) {
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const float* of_a = memory.left + (threadIdx.x / 32 * 16 + g) * kLeftPitch + t;
#pragma unroll
  for (int n = 0; n < kGroups; ++n) part[n][0] = part[n][1] = part[n][2] = part[n][3] = 0;
  for (int first = 0; first < a.dim; first += kTile) {
    __syncthreads();  // all have read what was there
    LoadLeft(a, first, memory);
    LoadRight<kColumnPitch>(b, first, memory);
    __syncthreads();
    const int dims = min(kTile, a.dim - first);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const Halves* of_b = memory.right + (half * kTile / 2 + g) * kColumnPitch + t;
      float sums[kGroups / 2][4] = {};
#pragma unroll 2
      for (int d = 0; d < dims; d += 8) {
        const float left[4] = {of_a[d], of_a[8 * kLeftPitch + d], of_a[d + 4], of_a[8 * kLeftPitch + d + 4]};
        MultiplyHalf(
            left, [&](int n, int i) { return of_b[n * 8 * kColumnPitch + d + 4 * i]; }, sums);
      }
#pragma unroll
      for (int n = 0; n < kGroups / 2; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) part[half * kGroups / 2 + n][i] += sums[n][i];
      }
    }
  }
}

// sums += weights · the rows of `x`; sums[8 s + n] are the dims 64 s + 8 n … . A thread has columns 2 t and 2 t + 1 of
// the weights where the instruction wants t and t + 4: it gets those, and the rows of `x` in the same order.
template <int kSlices>
__device__ void AddWeighted(const float (&weights)[kGroups][4], const HeadTile& x, TileMemory& memory,
                            float (&sums)[kSlices * kGroups][4]) {
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
  for (int half = 0; half < 2 * kSlices; ++half) {
    if (half * kTile / 2 >= x.dim) continue;
    if (half % 2 == 0) {
      __syncthreads();  // all have read what was there
      LoadRight<kSummedPitch>(x, half * kTile / 2, memory);
      __syncthreads();
    }
    const Halves* of_x = memory.right + 2 * t * kSummedPitch + half % 2 * kTile / 2 + g;
    float part[kGroups / 2][4] = {};
#pragma unroll
    for (int k = 0; k < kGroups; ++k) {
      const float left[4] = {weights[k][0], weights[k][2], weights[k][1], weights[k][3]};
      MultiplyHalf(
          left, [&](int n, int i) { return of_x[(8 * k + i) * kSummedPitch + 8 * n]; }, part);
    }
#pragma unroll
    for (int n = 0; n < kGroups / 2; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) sums[half * kGroups / 2 + n][i] += part[n][i];
    }
  }
}

// Over the threads that share rows.
__device__ inline float RowSumOf(float value) {
  value += __shfl_xor_sync(0xffffffffu, value, 1);
  return value + __shfl_xor_sync(0xffffffffu, value, 2);
}
__device__ inline float RowMaximumOf(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xffffffffu, value, 2));
}

}  // namespace bitwright::worker::cuda
