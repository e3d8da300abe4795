#pragma once

#include "workers/kernels/cuda/scale_search.h"
#include "workers/kernels/cuda/stored.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {

// The search of one group by one warp: each lane measures the scale of its factor, columns in order.
class LaneScale {
 public:
  // most: max|w| of the group
  __device__ LaneScale(const ScaleSearch& search, float most) : search_(search), start_(most / search.steps) {
    scale_ = RoundTo(search.type, __fmul_rn(start_, search.factors[Lane()]));
    inverse_ = 1 / scale_;
  }

  // w and h [columns] in shared memory, the next ones of the group.
  __device__ void Add(const float* w, const float* h, int columns) {
    for (int j = 0; j < columns; ++j) {
      const float value = w[j];
      const float code = fminf(fmaxf(rintf(value * inverse_), search_.low), search_.high);
      const float miss = fmaf(-code, scale_, value);
      error_ = fmaf(__fmul_rn(miss, miss), h[j], error_);
    }
  }

  // The scale as it is stored, of all lanes.
  __device__ float Best() const {
    float best = RoundTo(search_.type, start_);
    if (search_.searched) {  // a scale that vanished in storage gives NaN and never wins
      const LeastOf least = LaneLeast(error_, Lane(), 3e38f);
      const float chosen = __shfl_sync(kAllLanes, scale_, max(least.index, 0));
      if (least.index >= 0) best = chosen;
    }
    return best == 0 ? EpsilonOf(search_.type) : best;
  }

 private:
  const ScaleSearch& search_;
  float start_, scale_, inverse_;
  float error_ = 0;
};

}  // namespace bitwright::worker::cuda
