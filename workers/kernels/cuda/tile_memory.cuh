#pragma once

#include "workers/kernels/cuda/launch.h"

// Tiles of 64 × 64 of heads in shared memory, as attention_tile.cuh multiplies them.
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

}  // namespace bitwright::worker::cuda
