#pragma once

#include "workers/kernels/cuda/launch.h"

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

constexpr int kTile = 64;
constexpr int kGroups = kTile / 8;
constexpr int kTileThreads = 128;
// Blocks that a multiprocessor is to hold at a time, as far as registers go: for heads of so many times 64 dims.
constexpr int BlocksFor(int slices) { return slices <= 2 ? 3 : 2; }
// Between rows in shared memory, so that what a warp reads at a time lies in different banks: of left operands, of
// right ones whose rows are columns of a result, and of those whose rows are summed over.
constexpr int kLeftPitch = kTile + 4, kColumnPitch = kTile + 4, kSummedPitch = kTile + 2;

// At most 64 rows of one head: element (r, d) is data[r · stride + d]. Those past `rows` count as 0.
struct HeadTile {
  const float* data;
  int64_t stride;
  int rows;
  int dim;
  bool quads;  // data, stride and dim are multiples of 16 bytes
};

struct TilePlaceOfThread {
  int row, column;  // of part[0][0]

  __device__ TilePlaceOfThread() : row(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4), column(threadIdx.x % 4 * 2) {}
};

// x = high + low, each of TF32's bits but for the last of `low`: Veltkamp's split (Dekker, "A floating-point technique
// for extending the available precision", 1971), in operations of f32, of which there are more than of integers.
struct alignas(8) Halves {
  uint32_t high, low;

  __device__ explicit Halves(float x) {
    constexpr float kSplit = 8193;  // 2^13 + 1: 13 of f32's 24 bits go
    const float scaled = __fmul_rn(x, kSplit), upper = __fsub_rn(scaled, __fsub_rn(scaled, x));
    high = __float_as_uint(upper);
    low = __float_as_uint(__fsub_rn(x, upper));
  }
  Halves() = default;
};

struct TileMemory {
  alignas(16) float left[kTile * kLeftPitch];
  alignas(16) Halves right[kTile * kColumnPitch];
};

// A block's; more than a kernel may declare, and so asked for with its launch.
__device__ inline TileMemory& SharedTiles() {
  extern __shared__ uint4 shared[];
  return *reinterpret_cast<TileMemory*>(shared);
}

template <typename Kernel, typename... Arguments>
cudaError_t LaunchTiles(Kernel* kernel, int64_t blocks, cudaStream_t stream, const Arguments&... arguments) {
  constexpr int kBytes = sizeof(TileMemory);
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (error != cudaSuccess) return error;
  kernel<<<static_cast<unsigned>(blocks), kTileThreads, kBytes, stream>>>(arguments...);
  return cudaGetLastError();
}

// Calls put(r, d, four elements) for all of a tile from dim `first` on.
template <typename Put>
__device__ void LoadTile(const HeadTile& tile, int first, const Put& put) {
  const int dims = tile.dim - first;
#pragma unroll 4
  for (int i = threadIdx.x; i < kTile * kTile / 4; i += kTileThreads) {
    const int r = i / (kTile / 4), d = i % (kTile / 4) * 4;
    const float* from = tile.data + r * tile.stride + first + d;
    float4 four = make_float4(0, 0, 0, 0);
    if (r < tile.rows && d < dims) {
      if (tile.quads) {
        four = *reinterpret_cast<const float4*>(from);
      } else {
        four.x = from[0];
        if (d + 1 < dims) four.y = from[1];
        if (d + 2 < dims) four.z = from[2];
        if (d + 3 < dims) four.w = from[3];
      }
    }
    put(r, d, four);
  }
}

__device__ inline void LoadLeft(const HeadTile& tile, int first, TileMemory& memory) {
  LoadTile(tile, first,
           [&](int r, int d, float4 four) { *reinterpret_cast<float4*>(memory.left + r * kLeftPitch + d) = four; });
}

template <int kPitch>
__device__ void LoadRight(const HeadTile& tile, int first, TileMemory& memory) {
  LoadTile(tile, first, [&](int r, int d, float4 four) {
    const Halves x(four.x), y(four.y), z(four.z), w(four.w);
    uint4* to = reinterpret_cast<uint4*>(memory.right + r * kPitch + d);
    to[0] = make_uint4(x.high, x.low, y.high, y.low);
    to[1] = make_uint4(z.high, z.low, w.high, w.low);
  });
}

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
