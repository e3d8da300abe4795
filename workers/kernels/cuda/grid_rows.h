#pragma once

#include "workers/kernels/cpu/lane_grid.h"
#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// Rows of one linear on a grid, in a card's memory. The names are those of Grid and GridCodes (grid.h).
struct GridRows {
  int64_t rows, columns, stride;
  int64_t group, super;         // super 0: one level
  int64_t groups, scale_count;  // of a row
  const LaneGrid* values;

  bool minima, zero_points, both_signs;
  int least_scale, most_scale, most_minimum;
  float scale_divisor;
  ScaleType scale_type;

  const float* w;     // [rows, stride], as q is
  float* q;           // values
  uint8_t* codes;     // [rows, columns]
  float* scales;      // [rows, scale_count]
  float* minima_of;   // likewise; integers of zero points; zeros where there are none
  float* sub_scales;  // [rows, groups] small integers; two levels
  float* sub_minima;
  float* scale;    // [rows, groups] multiplied out
  float* minimum;  // likewise; of zero points their integers

#ifdef __CUDACC__
  __device__ bool two_levels() const { return super != 0; }
  // Place of what group `g` of a row shares, and of what is its own.
  __device__ int64_t Shared(int64_t row, int64_t g) const {
    return row * scale_count + (two_levels() ? g * group / super : g);
  }
  __device__ int64_t Own(int64_t row, int64_t g) const { return row * groups + g; }
#endif
};

// scale and minimum from what is stored.
cudaError_t MultiplyScales(const GridRows& rows, cudaStream_t stream);
// q from codes, as consumers decode them.
cudaError_t ValuesOfCodes(const GridRows& rows, cudaStream_t stream);
// The codes nearest to w, and their values.
cudaError_t NearestCodes(const GridRows& rows, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
