#pragma once

#include <cstdint>

// Sums over the threads of a warp or a block, in one order whatever else runs: every thread gets the same bits.
namespace bitwright::worker::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;

template <typename T>
__device__ T WarpSum(T value) {
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

// All threads of the block call it; whole warps, at most 32.
template <typename T>
__device__ T BlockSum(T value) {
  __shared__ T of_warps[kWarp];
  value = WarpSum(value);
  const int lane = threadIdx.x % kWarp, warps = blockDim.x / kWarp;
  if (lane == 0) of_warps[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = WarpSum(lane < warps ? of_warps[lane] : T{});
  __syncthreads();  // before the next call writes there
  return value;
}

// Over groups of neighbouring threads: a warp each, or the whole block.
template <int kGroup, typename T>
__device__ T GroupSum(T value) {
  if constexpr (kGroup == kWarp) {
    return WarpSum(value);
  } else {
    return BlockSum(value);
  }
}

// The larger value, and among equals the lower index.
struct Largest {
  float value;
  int index;

  __device__ void Take(float other, int at) {
    if (other > value || (other == value && at < index)) {
      value = other;
      index = at;
    }
  }
};

__device__ inline Largest WarpLargest(Largest best) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const float value = __shfl_xor_sync(kAllLanes, best.value, step);
    const int index = __shfl_xor_sync(kAllLanes, best.index, step);
    best.Take(value, index);
  }
  return best;
}

__device__ inline Largest BlockLargest(Largest best) {
  __shared__ float values[kWarp];
  __shared__ int indices[kWarp];
  best = WarpLargest(best);
  const int lane = threadIdx.x % kWarp, warps = blockDim.x / kWarp;
  if (lane == 0) {
    values[threadIdx.x / kWarp] = best.value;
    indices[threadIdx.x / kWarp] = best.index;
  }
  __syncthreads();
  best = WarpLargest({values[lane < warps ? lane : 0], indices[lane < warps ? lane : 0]});
  __syncthreads();
  return best;
}

}  // namespace bitwright::worker::cuda
