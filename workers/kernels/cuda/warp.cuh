#pragma once

#include <cstdint>

// Sums and choices over the lanes of a warp or of an aligned part of it, `width` lanes, a power of two; in one order
// whatever runs beside. All lanes of the warp take part and get the result.
namespace bitwright::worker::cuda {

inline constexpr unsigned kAllLanes = 0xffffffffu;
inline constexpr int kWarp = 32;

__device__ inline int Lane() { return static_cast<int>(threadIdx.x) % kWarp; }

template <typename T>
__device__ T LaneSum(T value, int width = kWarp) {
  for (int step = width / 2; step > 0; step /= 2) value += __shfl_xor_sync(kAllLanes, value, step);
  return value;
}

__device__ inline float LaneMax(float value, int width = kWarp) {
  for (int step = width / 2; step > 0; step /= 2) value = fmaxf(value, __shfl_xor_sync(kAllLanes, value, step));
  return value;
}

__device__ inline float LaneMin(float value, int width = kWarp) { return -LaneMax(-value, width); }

// The index of the least cost below `limit`, of equal ones the lowest; −1 where there is none. NaN is never least.
// Lanes hold one candidate each.
struct LeastOf {
  float cost;
  int index;
};
__device__ inline LeastOf LaneLeast(float cost, int index, float limit, int width = kWarp) {
  LeastOf least{limit, -1};
  if (cost < limit) least = {cost, index};
  for (int step = width / 2; step > 0; step /= 2) {
    const float other = __shfl_xor_sync(kAllLanes, least.cost, step);
    const int at = __shfl_xor_sync(kAllLanes, least.index, step);
    const bool better = at >= 0 && (least.index < 0 || other < least.cost || (other == least.cost && at < least.index));
    if (better) least = {other, at};
  }
  return least;
}

// Of a block of threads, a multiple of 32 of at most 1024; every thread gets it. scratch: 32 numbers in shared memory.
template <typename T>
__device__ T BlockSum(T value, T* scratch) {
  value = LaneSum(value);
  if (Lane() == 0) scratch[threadIdx.x / kWarp] = value;
  __syncthreads();
  const int warps = static_cast<int>(blockDim.x) / kWarp;
  T sum = Lane() < warps ? scratch[Lane()] : T{};
  sum = LaneSum(sum);
  __syncthreads();
  return sum;
}

}  // namespace bitwright::worker::cuda
