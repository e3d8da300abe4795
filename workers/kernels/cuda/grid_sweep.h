#pragma once

#include "workers/kernels/cuda/grid_rows.h"

namespace bitwright::worker::cuda {

// What a group's scale and minimum may change to. One level: the scale times `scale`; the minimum moved by `minimum`
// scales; the zero point by `second`. Two levels: the small integers moved by `first` and `second`.
struct GridTrial {
  float scale = 1, minimum = 0, first = 0, second = 0;
};
// The first one changes nothing; of those that lower J alike the first wins.
struct GridTrials {
  static constexpr int kMost = 16;

  int count = 0;
  GridTrial of[kMost];
};

// The block of columns that is swept: [begin, begin + width).
struct SweptBlock {
  int64_t begin;
  int width;            // at most 128
  const float* moment;  // H' [·, stride]
  const float* r;       // [rows, stride] of E H'; within the block it is brought up to date on the way, not here
  float* delta;         // [rows, 128] out: what values rose by; zeros past the width
};

// For each group of the block in order: the trial that lowers J most, each with the group's codes chosen anew one after
// the other, where any lowers it. Values, codes, and scales as stored.
cudaError_t SweepGrid(const GridRows& rows, const GridTrials& trials, const SweptBlock& block, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
