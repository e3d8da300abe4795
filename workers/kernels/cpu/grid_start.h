#pragma once

#include <cstdint>

#include "workers/kernels/cpu/lane_grid.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

// Scales of 64 rows on a grid, as stored; arrays are [·, 64].
struct LaneStored {
  LaneStored(const Grid& grid, int64_t columns);

  // Scale and minimum of a group, multiplied out.
  void Multiply(const Grid& grid, int64_t group, float* scale, float* minimum) const;

  Buffer<float> scales, minima;          // [grid.scales(columns), 64]; minima are 0 where there are none
  Buffer<float> sub_scales, sub_minima;  // [groups, 64] small integers; two levels
};

// StartOnGrid of the reference, in f32: w [columns, 64], h [columns] the diagonal of H.
void StartLanes(const Grid& grid, const LaneGrid& lanes, const float* w, const float* h, int64_t columns,
                LaneStored& stored);

}  // namespace bitwright::worker
