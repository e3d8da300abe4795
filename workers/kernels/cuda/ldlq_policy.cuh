#pragma once

#include "workers/kernels/cuda/nearest.cuh"
#include "workers/kernels/cuda/scale_search.h"

namespace bitwright::worker::cuda {

// What a column is rounded to, as a thread holds it.
struct LiveIntegers {
  DType type;
  float low, high;

  __device__ float Round(float z, float scale, float /*minimum*/, int& code) const {
    const float nearest = rintf(fminf(fmaxf(z / scale, low), high));
    code = static_cast<int>(nearest);
    return RoundTo(type, __fmul_rn(nearest, scale));
  }
};
struct LiveGrid {
  NearGrid values;

  __device__ float Round(float z, float scale, float minimum, int& code) const {
    const Near near = values.Nearest(z, InverseScale(scale), minimum);
    code = near.code;
    return values.Value(near.of_codebook, scale, minimum);
  }
};
// The same as a kernel is given it.
struct IntegerPolicy {
  ScaleSearch search;
  __device__ LiveIntegers Live() const { return {search.type, search.low, search.high}; }
};
struct GridPolicy {
  const LaneGrid* grid;
  __device__ LiveGrid Live() const { return {NearGrid(grid)}; }
};

}  // namespace bitwright::worker::cuda
