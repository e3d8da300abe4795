#include "workers/kernels/cuda/rows.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/sums.cuh"

namespace bitwright::worker::cuda {
namespace {

__device__ float OpenOf(const Wide& gate, int64_t row) { return 1 / (1 + expf(-*gate.Row(row))); }

// Of two rows, by a block.
__device__ double Dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
#pragma unroll 4
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += double{a[i]} * b[i];
  return BlockSum(sum);
}

__global__ void DotRowsKernel(Wide a, Wide b, const int32_t* rows, float* results) {
  const double dot = Dot(a.Row(blockIdx.x), b.Row(rows[blockIdx.x]), a.columns);
  if (threadIdx.x == 0) results[blockIdx.x] = static_cast<float>(dot);
}

__global__ void GateBackKernel(float factor, Wide gate, Wide from, Wide dto, Wide dgate) {
  const double dot = Dot(from.Row(blockIdx.x), dto.Row(blockIdx.x), dto.columns);
  if (threadIdx.x != 0) return;
  const float open = OpenOf(gate, blockIdx.x);
  *dgate.Row(blockIdx.x) += factor * (open * (1 - open)) * static_cast<float>(dot);
}

}  // namespace

cudaError_t GatherRows(const Wide& from, const int32_t* rows, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream,
                     [=] __device__(int64_t r, int64_t c) { to.Row(r)[c] = from.Row(rows[r])[c]; });
}

cudaError_t AddRows(const Wide& from, const int32_t* rows, const float* weights, const Wide& to, cudaStream_t stream) {
  return ForElements(from.rows, from.columns, stream, [=] __device__(int64_t r, int64_t c) {
    float* at = to.Row(rows[r]) + c;
    *at = __fadd_rn(*at, __fmul_rn(weights[r], from.Row(r)[c]));
  });
}

cudaError_t ScaleRows(const float* factors, const Wide& x, cudaStream_t stream) {
  return ForElements(x.rows, x.columns, stream, [=] __device__(int64_t r, int64_t c) { x.Row(r)[c] *= factors[r]; });
}

cudaError_t DotRows(const Wide& a, const Wide& b, const int32_t* rows, float* results, cudaStream_t stream) {
  if (a.rows == 0) return cudaSuccess;
  DotRowsKernel<<<static_cast<unsigned>(a.rows), kThreads, 0, stream>>>(a, b, rows, results);
  return cudaGetLastError();
}

cudaError_t AddGated(float factor, const Wide& gate, const Wide& from, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    to.Row(r)[c] = __fadd_rn(to.Row(r)[c], __fmul_rn(factor * OpenOf(gate, r), from.Row(r)[c]));
  });
}

cudaError_t AddGatedBack(float factor, const Wide& gate, const Wide& from, const Wide& dto, const Wide& dgate,
                         const Wide& dfrom, cudaStream_t stream) {
  if (dto.rows == 0) return cudaSuccess;
  GateBackKernel<<<static_cast<unsigned>(dto.rows), kThreads, 0, stream>>>(factor, gate, from, dto, dgate);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess) return error;
  return ForElements(dto.rows, dto.columns, stream, [=] __device__(int64_t r, int64_t c) {
    dfrom.Row(r)[c] = __fadd_rn(dfrom.Row(r)[c], __fmul_rn(factor * OpenOf(gate, r), dto.Row(r)[c]));
  });
}

}  // namespace bitwright::worker::cuda
