#pragma once

#include <cstdint>

// exp in f64 for what is at most 0, in eleven operations instead of the library's thirty: f64 is what bounds sums over
// a vocabulary.
namespace bitwright::worker::cuda {

// 2^(j/64), in shared memory.
struct ExpTable {
  static constexpr int kSteps = 64;
  double powers[kSteps];

  // By all threads of a block, at least kSteps.
  __device__ void Fill() {
    if (threadIdx.x < kSteps) powers[threadIdx.x] = exp2(threadIdx.x / double{kSteps});
    __syncthreads();
  }

  // exp(x − top) for finite x ≤ top, relative error below 4e-16; where x − top is below −708 it stays near 1e-308,
  // which no sum here can tell from 0. NaN and infinities give NaN.
  // x − top = k · ln(2)/64 + r, |r| ≤ ln(2)/128; exp(r) − 1 by its Taylor polynomial of degree 5 (the next term is
  // below 4e-17).
  __device__ double Of(float x, float top) const {
    double difference;
    return Of(x, top, difference);
  }
  // The same, and x − top as it was taken.
  __device__ double Of(float x, float top, double& difference) const {
    constexpr double kStepsPerUnit = 64 * 1.44269504088896340736, kShift = 6755399441055744.0;  // 1.5 · 2^52
    constexpr double kStepHigh = 0x1.62e42feep-7, kStepLow = 0x1.a39ef35793c76p-39;             // k · high is exact
    const float least = top - 708;
    difference = double{x < least ? least : x} - top;
    const double shifted = fma(difference, kStepsPerUnit, kShift);  // k is in the low bits
    const double k = shifted - kShift;
    const double r = fma(-k, kStepLow, fma(-k, kStepHigh, difference));
    const double tail = fma(r, fma(r, fma(r, 1.0 / 120, 1.0 / 24), 1.0 / 6), 0.5);
    const double power = powers[__double2loint(shifted) & (kSteps - 1)];
    const double result = fma(power, fma(r * r, tail, r), power);
    const int exponent = __double2loint(shifted) >> 6;
    return __hiloint2double(__double2hiint(result) + exponent * (1 << 20), __double2loint(result));
  }
};

}  // namespace bitwright::worker::cuda
