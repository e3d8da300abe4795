#include "workers/kernels/cuda/logits.h"

#include "workers/kernels/cuda/softmax_row.cuh"

namespace bitwright::worker::cuda {
namespace {

// Σ p_b (log p_b − log p_o) = Σ p_b (b − o) − log Z_b + log Z_o, Z the sums of exponentials.
__global__ void __launch_bounds__(kRowThreads)
    CompareKernel(Wide base, Wide other, const int32_t* targets, RowComparison* results) {
  const float* b = base.Row(blockIdx.x);
  const float* o = other.Row(blockIdx.x);
  const int64_t n = base.columns;
  RowSum own_b, own_o;
  double difference = 0;  // Σ exp(b − top) · (b − o)
  for (int64_t first = threadIdx.x; first < n; first += kStepElements) {
    float x[kRowStep], y[kRowStep];
    ReadStep(b, first, n, x);
    ReadStep(o, first, n, y);
    const double shrink = own_b.Raise(x, first, n);
    own_b.sum *= shrink;
    difference *= shrink;
    own_o.sum *= own_o.Raise(y, first, n);
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) {
      if (first + int64_t{i} * kRowThreads >= n) continue;
      const double e = exp(double{x[i]} - own_b.top.value);
      own_b.sum += e;
      own_o.sum += exp(double{y[i]} - own_o.top.value);
      difference += e * (double{x[i]} - y[i]);
    }
  }
  const Largest top_b = BlockLargest(own_b.top), top_o = BlockLargest(own_o.top);
  const double scale = ScaleTo(top_b, own_b.top);
  const double sum_b = BlockSum(own_b.sum * scale), sum_o = BlockSum(own_o.sum * ScaleTo(top_o, own_o.top));
  difference = BlockSum(difference * scale);
  if (threadIdx.x != 0) return;
  const int32_t target = targets[blockIdx.x];
  const double log_b = log(sum_b), log_o = log(sum_o);
  RowComparison row;
  row.nll_base = log_b - (double{b[target]} - top_b.value);
  row.nll_other = log_o - (double{o[target]} - top_o.value);
  const double kl = difference / sum_b - (double{top_b.value} - top_o.value) - log_b + log_o;
  row.kl = kl < 0 ? 0 : kl;  // never negative but for rounding; NaN stays
  row.p_delta = exp(-row.nll_other) - exp(-row.nll_base);
  row.top_base = static_cast<int32_t>(top_b.index);
  row.top_other = static_cast<int32_t>(top_o.index);
  results[blockIdx.x] = row;
}

// A row's labels in order, kRowThreads at a time, each thread's probability added to those of the threads before it.
__global__ void __launch_bounds__(kRowThreads) SampleKernel(Wide logits, const double* uniforms, int32_t* labels) {
  __shared__ double of_warps[kWarp];
  __shared__ int found;
  const float* x = logits.Row(blockIdx.x);
  const int64_t n = logits.columns;
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  const RowSum row = SumRow(x, n);
  const double wanted = uniforms[blockIdx.x] * row.sum;
  double before = 0;  // of all labels before these
  int last = -1;      // of this thread's labels, the last that has any probability
  if (threadIdx.x == 0) found = INT32_MAX;
  for (int64_t first = 0; first < n; first += kRowThreads) {
    const int64_t at = first + threadIdx.x;
    const double p = at < n ? exp(double{x[at]} - row.top.value) : 0;
    if (p > 0) last = static_cast<int>(at);
    double sum = p;
    for (int step = 1; step < kWarp; step *= 2) {
      const double lower = __shfl_up_sync(kAllLanes, sum, step);
      if (lane >= step) sum += lower;
    }
    if (lane == kWarp - 1) of_warps[warp] = sum;
    __syncthreads();
    double total = before;
    for (int w = 0; w < kRowThreads / kWarp; ++w) {
      if (w == warp) sum += total;
      total += of_warps[w];
    }
    if (at < n && p > 0 && sum > wanted) atomicMin(&found, static_cast<int>(at));  // no sum: any order, one result
    before = total;
    __syncthreads();
    if (found != INT32_MAX) break;
  }
  // Rounding may leave the sum a little below the number.
  const Largest possible = BlockLargest({static_cast<float>(last), last});
  if (threadIdx.x == 0) labels[blockIdx.x] = found != INT32_MAX ? found : static_cast<int32_t>(possible.index);
}

__global__ void __launch_bounds__(kRowThreads) LossBackKernel(Wide logits, const int32_t* labels, double* losses) {
  float* x = logits.Row(blockIdx.x);
  const int64_t n = logits.columns;
  const int32_t label = labels[blockIdx.x];
  if (label < 0) {
    for (int64_t i = threadIdx.x; i < n; i += kRowThreads) x[i] = 0;
    if (threadIdx.x == 0) losses[blockIdx.x] = 0;
    return;
  }
  const RowSum row = SumRow(x, n);
  if (threadIdx.x == 0) losses[blockIdx.x] = log(row.sum) - (double{x[label]} - row.top.value);
  __syncthreads();
  const double inverse = 1 / row.sum;
#pragma unroll 4
  for (int64_t i = threadIdx.x; i < n; i += kRowThreads) {
    x[i] = static_cast<float>(exp(double{x[i]} - row.top.value) * inverse - (i == label ? 1 : 0));
  }
}

}  // namespace

cudaError_t Compare(const Wide& base, const Wide& other, const int32_t* targets, RowComparison* results,
                    cudaStream_t stream) {
  if (base.rows == 0) return cudaSuccess;
  CompareKernel<<<static_cast<unsigned>(base.rows), kRowThreads, 0, stream>>>(base, other, targets, results);
  return cudaGetLastError();
}

cudaError_t Sample(const Wide& logits, const double* uniforms, int32_t* labels, cudaStream_t stream) {
  if (logits.rows == 0) return cudaSuccess;
  SampleKernel<<<static_cast<unsigned>(logits.rows), kRowThreads, 0, stream>>>(logits, uniforms, labels);
  return cudaGetLastError();
}

cudaError_t LossBack(const Wide& logits, const int32_t* labels, double* losses, cudaStream_t stream) {
  if (logits.rows == 0) return cudaSuccess;
  LossBackKernel<<<static_cast<unsigned>(logits.rows), kRowThreads, 0, stream>>>(logits, labels, losses);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
