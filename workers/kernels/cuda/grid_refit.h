#pragma once

#include "workers/kernels/cuda/grid_rows.h"

// The re-fit of the scales (and minima) of the first level while codes stand: values are linear in them.
// reference/grid_refit.cc states the equations. x [rows, unknowns]: of each row its scales and then, where there are
// any, its minima.
namespace bitwright::worker::cuda {

constexpr int64_t Unknowns(const GridRows& rows) { return rows.scale_count * (rows.minima ? 2 : 1); }

// to [rows, stride] = the values that x gives, not rounded.
cudaError_t SpreadScales(const GridRows& rows, const float* x, float* to, cudaStream_t stream);
// The transpose of that, of `from` [rows, stride].
cudaError_t GatherScales(const GridRows& rows, const float* from, float* x, cudaStream_t stream);
// Adds `step` to scales and minima, and rounds them to what is stored.
cudaError_t MoveScales(const GridRows& rows, const float* step, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
