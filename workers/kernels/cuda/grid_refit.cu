#include "workers/kernels/cuda/grid_refit.h"

#include <algorithm>

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/nearest.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {
namespace {

// What a column's scale and minimum are multiplied by in its value.
struct Factors {
  float of_scale, of_minimum;
};
__device__ Factors FactorsAt(const GridRows& rows, int64_t row, int64_t column) {
  const int64_t g = column / rows.group, own = rows.Own(row, g);
  float base = rows.values->codebook[rows.codes[row * rows.columns + column]];
  if (rows.zero_points) base -= rows.minima_of[rows.Shared(row, g)];
  if (!rows.two_levels()) return {base, 1};
  return {base * rows.sub_scales[own], rows.sub_minima[own]};
}

// A warp for each scale.
__global__ void GatherScalesKernel(GridRows rows, const float* from, float* x) {
  const int64_t index = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kWarp;
  if (index >= rows.rows * rows.scale_count) return;
  const int64_t row = index / rows.scale_count, at = index % rows.scale_count, width = rows.columns / rows.scale_count;
  float scale = 0, minimum = 0;
  for (int64_t j = at * width + Lane(); j < (at + 1) * width; j += kWarp) {
    const Factors factors = FactorsAt(rows, row, j);
    const float value = from[row * rows.stride + j];
    scale += value * factors.of_scale;
    minimum -= value * factors.of_minimum;
  }
  scale = LaneSum(scale);
  minimum = LaneSum(minimum);
  if (Lane() != 0) return;
  float* of_row = x + row * (rows.scale_count * (rows.minima ? 2 : 1));
  of_row[at] = scale;
  if (rows.minima) of_row[rows.scale_count + at] = minimum;
}

}  // namespace

cudaError_t SpreadScales(const GridRows& rows, const float* x, float* to, cudaStream_t stream) {
  const int64_t unknowns = Unknowns(rows);
  return ForElements(rows.rows, rows.stride, stream, [=] __device__(int64_t r, int64_t c) {
    float value = 0;
    if (c < rows.columns) {
      const float* of_row = x + r * unknowns;
      const int64_t at = rows.Shared(0, c / rows.group);
      const Factors factors = FactorsAt(rows, r, c);
      value = of_row[at] * factors.of_scale;
      if (rows.minima) value -= of_row[rows.scale_count + at] * factors.of_minimum;
    }
    to[r * rows.stride + c] = value;
  });
}

cudaError_t GatherScales(const GridRows& rows, const float* from, float* x, cudaStream_t stream) {
  const int64_t threads = rows.rows * rows.scale_count * kWarp;
  if (threads == 0) return cudaSuccess;
  GatherScalesKernel<<<static_cast<unsigned>(CeilDiv(threads, kThreads)), kThreads, 0, stream>>>(rows, from, x);
  return cudaGetLastError();
}

cudaError_t MoveScales(const GridRows& rows, const float* step, cudaStream_t stream) {
  const int64_t unknowns = Unknowns(rows);
  return ForElements(rows.rows, rows.scale_count, stream, [=] __device__(int64_t r, int64_t s) {
    const auto stored = [&](double value) { return StoredScale(rows.scale_type, rows.scale_divisor, value); };
    const float* of_row = step + r * unknowns;
    float& scale = rows.scales[r * rows.scale_count + s];
    const double moved = double{scale} + of_row[s];
    scale = stored(rows.both_signs ? moved : fmax(moved, 0.0));
    if (!rows.minima) return;
    float& minimum = rows.minima_of[r * rows.scale_count + s];
    minimum = stored(double{minimum} + of_row[rows.scale_count + s]);
  });
}

}  // namespace bitwright::worker::cuda
