#pragma once

#include "workers/kernels/cuda/grid_rows.h"

namespace bitwright::worker::cuda {

// What the start of rounding on a grid tries (workers/kernels/grid_search.h), each list in order: of equal ones the
// first wins.
struct GridSearch {
  static constexpr int kMostScales = 124, kMostStored = 16, kMostSupers = 32;

  // Of a group: its range counted in codes (minima, zero points), else its largest |w|, by these.
  int scales;
  float scale[kMostScales];
  int fits;
  // One level: the scale found, by these, before it is stored.
  int stored;
  float of_found[kMostStored];
  // Two levels: the largest scale and minimum found in a super-block, by these.
  int supers;
  float super_scale[kMostSupers], super_minimum[kMostSupers];
};

// Scales and minima as stored, by a search that weighs the error of column j with element j of the diagonal of the
// moment, whose rows are rows.stride apart. scale and minimum are written, too, and void.
cudaError_t StartRows(const GridRows& rows, const GridSearch& search, const float* moment, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
