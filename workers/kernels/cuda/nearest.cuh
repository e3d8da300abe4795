#pragma once

#include "workers/kernels/cpu/lane_grid.h"
#include "workers/kernels/cuda/stored.cuh"

// The nearest value of a grid, in device code: cpu/nearest_lanes-inl.h has the same in vector registers.
namespace bitwright::worker::cuda {

// A code and its value in the codebook.
struct Near {
  int code;
  float of_codebook;
};

// 1 / scale; 0 where the scale is 0, so that the code is then that of 0.
__device__ inline float InverseScale(float scale) { return scale == 0 ? 0.0f : 1 / scale; }

// A grid's codebook as a thread searches it: what of LaneGrid, which lies in the card's memory, fits registers.
class NearGrid {
 public:
  __device__ explicit NearGrid(const LaneGrid* grid)
      : grid_(grid),
        search_(grid->search),
        type_(grid->type),
        count_(grid->count),
        fraction_bits_(grid->fraction_bits),
        first_(grid->codebook[0]),
        last_(grid->codebook[grid->count - 1]),
        least_power_(grid->least_power) {}

  // The code whose value is nearest to z.
  __device__ Near Nearest(float z, float inverse, float minimum) const {
    if (search_ == LaneSearch::kZeroPoints) return OfIntegers(fmaf(z, inverse, minimum));
    const float x = __fmul_rn(__fadd_rn(z, minimum), inverse);
    if (search_ == LaneSearch::kIntegers) return OfIntegers(x);
    if (search_ == LaneSearch::kSmallFloats) return OfSmallFloats(x);
    return OfSteps(x);
  }
  // As a consumer computes it: product and difference each rounded.
  __device__ float Value(float of_codebook, float scale, float minimum) const {
    const float value = search_ == LaneSearch::kZeroPoints ? __fmul_rn(__fsub_rn(of_codebook, minimum), scale)
                                                           : __fsub_rn(__fmul_rn(of_codebook, scale), minimum);
    return RoundTo(type_, value);
  }
  __device__ float OfCode(int code) const { return grid_->codebook[code]; }

 private:
  __device__ Near OfIntegers(float x) const {
    const float code = fminf(fmaxf(rintf(x - first_), 0), static_cast<float>(count_ - 1));
    return {static_cast<int>(code), first_ + code};
  }

  // By halves: the number of middles below x.
  __device__ Near OfSteps(float x) const {
    int low = 0, high = count_ - 1;
    while (low < high) {
      const int at = (low + high) / 2;
      if (x > grid_->middle[at]) {
        low = at + 1;
      } else {
        high = at;
      }
    }
    return {low, grid_->codebook[low]};
  }

  __device__ Near OfSmallFloats(float x) const {
    const float magnitude = fminf(fabsf(x), last_);
    const float power = __int_as_float(__float_as_int(fmaxf(magnitude, least_power_)) & 0x7f800000);
    const float places = power * __int_as_float((127 + 23 - fraction_bits_) << 23);
    const float rounded = __fsub_rn(__fadd_rn(magnitude, places), places);
    const int dropped = 23 - fraction_bits_, binade = 1 << fraction_bits_;
    const int first_code = (__float_as_int(least_power_) >> dropped) - binade;
    const int steps = rounded < least_power_ ? static_cast<int>(rounded * (static_cast<float>(binade) / least_power_))
                                             : (__float_as_int(rounded) >> dropped) - first_code;
    const bool minus = signbit(x);
    return {count_ / 2 + (minus ? -steps : steps), minus ? -rounded : rounded};
  }

  const LaneGrid* grid_;
  LaneSearch search_;
  DType type_;
  int count_, fraction_bits_;
  float first_, last_, least_power_;
};

}  // namespace bitwright::worker::cuda
