#include "workers/kernels/cuda/row_sums.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {
namespace {

__global__ void RowDotsKernel(Wide a, Wide b, double* sums) {
  __shared__ double scratch[kWarp];
  const int64_t row = blockIdx.x;
  double sum = 0;
  for (int64_t j = threadIdx.x; j < a.columns; j += blockDim.x) sum += double{a.Row(row)[j]} * b.Row(row)[j];
  sum = BlockSum(sum, scratch);
  if (threadIdx.x == 0) sums[row] = sum;
}

__global__ void ConjugateStepKernel(ConjugateRows rows) {
  __shared__ double scratch[kWarp];
  const int64_t row = blockIdx.x, begin = row * rows.unknowns, end = begin + rows.unknowns;
  const double square = rows.square[row];
  double curvature = 0, next = 0;
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    curvature += double{rows.direction[i]} * rows.applied[i];
  }
  curvature = BlockSum(curvature, scratch);
  const auto length = static_cast<float>(curvature > 0 ? square / curvature : 0);
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    rows.x[i] += length * rows.direction[i];
    const float rest = rows.residual[i] - length * rows.applied[i];
    rows.residual[i] = rest;
    next += double{rest} * rest;
  }
  next = BlockSum(next, scratch);
  const auto turn = static_cast<float>(square > 0 ? next / square : 0);
  for (int64_t i = begin + threadIdx.x; i < end; i += blockDim.x) {
    rows.direction[i] = rows.residual[i] + turn * rows.direction[i];
  }
  if (threadIdx.x == 0) rows.square[row] = next;
}

}  // namespace

cudaError_t GatherRows(const Wide& w, const int32_t* order, const uint8_t* dead, const GatheredRows& to,
                       cudaStream_t stream) {
  return ForElements(w.rows, to.stride, stream, [=] __device__(int64_t r, int64_t p) {
    const int64_t column = p >= w.columns ? -1 : order == nullptr ? p : order[p];
    to.to[r * to.stride + p] = column < 0 || dead[column] != 0 ? 0 : w.Row(r)[column];
  });
}

cudaError_t Differences(const Wide& a, const Wide& b, float* to, cudaStream_t stream) {
  return ForElements(a.rows, a.columns, stream,
                     [=] __device__(int64_t r, int64_t c) { to[r * a.columns + c] = a.Row(r)[c] - b.Row(r)[c]; });
}

cudaError_t RowDots(const Wide& a, const Wide& b, double* sums, cudaStream_t stream) {
  if (a.rows == 0) return cudaSuccess;
  RowDotsKernel<<<static_cast<unsigned>(a.rows), kThreads, 0, stream>>>(a, b, sums);
  return cudaGetLastError();
}

template <typename T>
cudaError_t UndoRows(const RowChoice& choice, int64_t per_row, const T* old, T* values, cudaStream_t stream) {
  return ForElements(choice.rows, per_row, stream, [=] __device__(int64_t r, int64_t c) {
    const double now = choice.now[r], before = choice.before[r];
    if (now < before || (choice.keeps_equal && now == before)) return;  // NaN is not kept
    values[r * per_row + c] = old[r * per_row + c];
  });
}
template cudaError_t UndoRows(const RowChoice&, int64_t, const uint8_t*, uint8_t*, cudaStream_t);
template cudaError_t UndoRows(const RowChoice&, int64_t, const uint16_t*, uint16_t*, cudaStream_t);
template cudaError_t UndoRows(const RowChoice&, int64_t, const float*, float*, cudaStream_t);

cudaError_t ConjugateStep(const ConjugateRows& rows, cudaStream_t stream) {
  if (rows.rows == 0) return cudaSuccess;
  ConjugateStepKernel<<<static_cast<unsigned>(rows.rows), kThreads, 0, stream>>>(rows);
  return cudaGetLastError();
}

cudaError_t TakeOffDamping(int64_t rows, double added, const double* squared, double* loss, cudaStream_t stream) {
  return ForElements(rows, 1, stream, [=] __device__(int64_t r, int64_t) { loss[r] -= added * squared[r]; });
}

}  // namespace bitwright::worker::cuda
