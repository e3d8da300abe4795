#include "workers/kernels/cuda/lattice_rows.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/stored.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {
namespace {

// A warp for each super-scale.
__global__ void GatherSupersKernel(LatticeRows rows, const float* units, const float* from, float* x) {
  const int64_t index = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kWarp, supers = rows.columns / rows.super;
  if (index >= rows.rows * supers) return;
  const int64_t begin = index / supers * rows.stride + index % supers * rows.super;
  float sum = 0;
  for (int64_t j = begin + Lane(); j < begin + rows.super; j += kWarp) sum += from[j] * units[j];
  sum = LaneSum(sum);
  if (Lane() == 0) x[index] = sum;
}

}  // namespace

cudaError_t MultiplyScales(const LatticeRows& rows, cudaStream_t stream) {
  const int64_t groups = rows.columns / rows.group, per = rows.super / rows.group;
  return ForElements(rows.rows, groups, stream, [=] __device__(int64_t r, int64_t g) {
    const int64_t own = r * groups + g;
    rows.scale[own] = __fmul_rn(rows.supers[own / per], rows.Multiple(rows.sub_scales[own]));
  });
}

cudaError_t ValuesOfCodes(const LatticeRows& rows, float* to, cudaStream_t stream) {
  return ForElements(rows.rows, rows.stride, stream, [=] __device__(int64_t r, int64_t c) {
    float value = 0;
    if (c < rows.columns) {
      const int64_t at = r * rows.columns + c;
      const int size = rows.lattice.size;
      const int64_t point = rows.points[at / size];
      const float number = rows.lattice.numbers[point * size + at % size];
      const int64_t group = at / rows.group;
      value = number * rows.scale[group];
      if ((rows.signs[at / 8] >> (at % 8) & 1) != 0) value = -value;
    }
    to[r * rows.stride + c] = value;
  });
}

cudaError_t SpreadSupers(const LatticeRows& rows, const float* units, const float* x, float* to, cudaStream_t stream) {
  const int64_t supers = rows.columns / rows.super;
  return ForElements(rows.rows, rows.stride, stream, [=] __device__(int64_t r, int64_t c) {
    const int64_t at = r * rows.stride + c;
    to[at] = c < rows.columns ? x[r * supers + c / rows.super] * units[at] : 0;
  });
}

cudaError_t GatherSupers(const LatticeRows& rows, const float* units, const float* from, float* x,
                         cudaStream_t stream) {
  const int64_t threads = rows.rows * (rows.columns / rows.super) * kWarp;
  if (threads == 0) return cudaSuccess;
  GatherSupersKernel<<<static_cast<unsigned>(CeilDiv(threads, kThreads)), kThreads, 0, stream>>>(rows, units, from, x);
  return cudaGetLastError();
}

cudaError_t MoveSupers(const LatticeRows& rows, const float* step, cudaStream_t stream) {
  const int64_t supers = rows.columns / rows.super;
  return ForElements(rows.rows, supers, stream, [=] __device__(int64_t r, int64_t s) {
    float& super = rows.supers[r * supers + s];
    super = StoredScale(ScaleType::kF16, double{super} + step[r * supers + s]);
  });
}

cudaError_t DiagonalOctets(const float* m, int64_t stride, int64_t columns, float* blocks, cudaStream_t stream) {
  return ForElements(columns, 8, stream,
                     [=] __device__(int64_t i, int64_t j) { blocks[i * 8 + j] = m[i * stride + i / 8 * 8 + j]; });
}

}  // namespace bitwright::worker::cuda
