#include "workers/kernels/cuda/routing.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/sums.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr float kLeast = -INFINITY;

__device__ int64_t RowOfWarp() { return int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp; }

__device__ float Ranked(float logit) { return isnan(logit) ? kLeast : logit; }

// A warp to a row. The next expert is the best of those that come after the last in the order of rank.
__global__ void RouteKernel(Wide logits, int chosen, bool normalized, int32_t* experts, float* weights) {
  const int64_t row = RowOfWarp();
  if (row >= logits.rows) return;
  const float* x = logits.Row(row);
  const int lane = threadIdx.x % kWarp, columns = static_cast<int>(logits.columns);
  double all = 0;
  float top = 0;
  Largest last{INFINITY, -1};
  for (int i = 0; i < chosen; ++i) {
    Largest best{kLeast, columns};
    for (int e = lane; e < columns; e += kWarp) {
      const float value = Ranked(x[e]);
      if (value < last.value || (value == last.value && e > last.index)) best.Take(value, e);
    }
    last = WarpLargest(best);
    if (i == 0) {
      top = last.value;
      if (!normalized) {
        for (int e = lane; e < columns; e += kWarp) all += exp(double{x[e]} - top);
        all = WarpSum(all);
      }
    }
    if (normalized) all += exp(double{x[last.index]} - top);
    if (lane == 0) experts[row * chosen + i] = last.index;
  }
  if (lane != 0) return;
  for (int i = 0; i < chosen; ++i) {
    const double share = exp(double{x[experts[row * chosen + i]]} - top) / all;
    weights[row * chosen + i] = static_cast<float>(share);
  }
}

__global__ void TakeSoftmaxKernel(Wide logits, const double* sums, Wide dlogits) {
  const int64_t row = RowOfWarp();
  if (row >= logits.rows) return;
  const float* x = logits.Row(row);
  const int lane = threadIdx.x % kWarp, columns = static_cast<int>(logits.columns);
  Largest best{kLeast, columns};
  for (int e = lane; e < columns; e += kWarp) best.Take(x[e], e);
  const double top = WarpLargest(best).value;
  double all = 0;
  for (int e = lane; e < columns; e += kWarp) all += exp(x[e] - top);
  all = WarpSum(all);
  for (int e = lane; e < columns; e += kWarp) {
    dlogits.Row(row)[e] -= static_cast<float>(exp(x[e] - top) / all * sums[row]);
  }
}

}  // namespace

cudaError_t Route(const Wide& logits, int64_t chosen, bool normalized, int32_t* experts, float* weights,
                  cudaStream_t stream) {
  if (logits.rows == 0) return cudaSuccess;
  const unsigned blocks = static_cast<unsigned>(CeilDiv(logits.rows, kThreads / kWarp));
  RouteKernel<<<blocks, kThreads, 0, stream>>>(logits, static_cast<int>(chosen), normalized, experts, weights);
  return cudaGetLastError();
}

cudaError_t AddEntries(int64_t count, const int32_t* rows, const int32_t* experts, const float* values,
                       const Wide& dlogits, cudaStream_t stream) {
  return ForElements(1, count, stream,
                     [=] __device__(int64_t, int64_t i) { dlogits.Row(rows[i])[experts[i]] += values[i]; });
}

cudaError_t TakeSoftmax(const Wide& logits, const double* sums, const Wide& dlogits, cudaStream_t stream) {
  if (logits.rows == 0) return cudaSuccess;
  const unsigned blocks = static_cast<unsigned>(CeilDiv(logits.rows, kThreads / kWarp));
  TakeSoftmaxKernel<<<blocks, kThreads, 0, stream>>>(logits, sums, dlogits);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
