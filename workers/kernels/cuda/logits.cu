#include "workers/kernels/cuda/logits.h"

#include "workers/kernels/cuda/softmax_row.cuh"

namespace bitwright::worker::cuda {
namespace {

// How much more the largest of the base grew than that of the other; 0 where a thread had none before.
__device__ double Growth(float base, float base_before, float other, float other_before) {
  return base_before == -INFINITY ? 0 : (double{base} - base_before) - (double{other} - other_before);
}

// Σ p_b (log p_b − log p_o) = Σ p_b ((b − top_b) − (o − top_o)) − log Z_b + log Z_o, Z the sums of exponentials
// relative to the largest logits. Where those grow, every term of the first sum loses what one grew more than the
// other.
__global__ void __launch_bounds__(kRowThreads)
    CompareKernel(Wide base, Wide other, const int32_t* targets, RowComparison* results) {
  __shared__ ExpTable table;
  table.Fill();
  const float* b = base.Row(blockIdx.x);
  const float* o = other.Row(blockIdx.x);
  const int n = static_cast<int>(base.columns);
  RowSum own_b, own_o;
  double difference = 0;  // Σ exp(b − top_b) · ((b − top_b) − (o − top_o))
  for (int first = threadIdx.x; first < n; first += kStepElements) {
    float x[kRowStep], y[kRowStep];
    ReadStep(b, first, n, x);
    ReadStep(o, first, n, y);
    const float before_b = own_b.top.value, before_o = own_o.top.value;
    const double shrink = own_b.Raise(x, first);
    own_o.sum *= own_o.Raise(y, first);
    difference = shrink * (difference - Growth(own_b.top.value, before_b, own_o.top.value, before_o) * own_b.sum);
    own_b.sum *= shrink;
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) {
      double of_b, of_o;
      const double e = table.Of(x[i], own_b.top.value, of_b);
      own_o.sum += table.Of(y[i], own_o.top.value, of_o);
      own_b.sum += e;
      difference += e * (of_b - of_o);
    }
  }
  const Largest top_b = BlockLargest(own_b.top), top_o = BlockLargest(own_o.top);
  const double scale = ScaleTo(top_b, own_b.top);
  difference -= Growth(top_b.value, own_b.top.value, top_o.value, own_o.top.value) * own_b.sum;
  difference = BlockSum(scale * difference);
  const double sum_b = BlockSum(own_b.sum * scale), sum_o = BlockSum(own_o.sum * ScaleTo(top_o, own_o.top));
  if (threadIdx.x != 0) return;
  const int32_t target = targets[blockIdx.x];
  const double log_b = log(sum_b), log_o = log(sum_o);
  RowComparison row;
  row.nll_base = log_b - (double{b[target]} - top_b.value);
  row.nll_other = log_o - (double{o[target]} - top_o.value);
  const double kl = difference / sum_b - log_b + log_o;
  row.kl = kl < 0 ? 0 : kl;  // never negative but for rounding; NaN stays
  row.p_delta = exp(-row.nll_other) - exp(-row.nll_base);
  row.top_base = top_b.index;
  row.top_other = top_o.index;
  results[blockIdx.x] = row;
}

// Whether a label has any probability.
__device__ bool Possible(float x, float top) { return x >= top - 708; }

// The first of labels [begin, end) with a probability and a cumulative sum above `wanted`, `before` being that of all
// labels before them; -1: none. Each thread's probability is added to those of the threads before it.
__device__ int FirstAbove(const float* x, int begin, int end, float top, double before, double wanted,
                          const ExpTable& table) {
  __shared__ double of_warps[kRowThreads / kWarp];
  __shared__ int found;
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  if (threadIdx.x == 0) found = INT32_MAX;
  for (int first = begin; first < end; first += kRowThreads) {
    const int at = first + static_cast<int>(threadIdx.x);
    const double p = at < end && Possible(x[at], top) ? table.Of(x[at], top) : 0;
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
    if (p > 0 && sum > wanted) atomicMin(&found, at);  // no sum: any order, one result
    before = total;
    __syncthreads();
    if (found != INT32_MAX) return found;
  }
  return -1;
}

// Labels by pieces, until the sum of one goes above the number.
__global__ void __launch_bounds__(kRowThreads) SampleKernel(Wide logits, const double* uniforms, int32_t* labels) {
  __shared__ ExpTable table;
  table.Fill();
  const float* x = logits.Row(blockIdx.x);
  const int n = static_cast<int>(logits.columns);
  const RowSum row = SumRow(x, n, table);
  const double wanted = uniforms[blockIdx.x] * row.sum;
  double before = 0;
  for (int piece = 0; piece < n; piece += kStepElements) {
    float values[kRowStep];
    ReadStep(x, piece + static_cast<int>(threadIdx.x), n, values);
    double own = 0;
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) own += table.Of(values[i], row.top.value);
    const double sum = BlockSum(own);
    const int label = before + sum > wanted
                          ? FirstAbove(x, piece, min(piece + kStepElements, n), row.top.value, before, wanted, table)
                          : -1;
    if (label >= 0) {
      if (threadIdx.x == 0) labels[blockIdx.x] = label;
      return;
    }
    before += sum;
  }
  // Rounding left the sum of all a little below the number.
  if (threadIdx.x != 0) return;
  int last = n - 1;
  while (last > 0 && !Possible(x[last], row.top.value)) --last;
  labels[blockIdx.x] = last;
}

__global__ void __launch_bounds__(kRowThreads) LossBackKernel(Wide logits, const int32_t* labels, double* losses) {
  float* x = logits.Row(blockIdx.x);
  const int n = static_cast<int>(logits.columns);
  const int label = labels[blockIdx.x];
  if (label < 0) {
    for (int i = threadIdx.x; i < n; i += kRowThreads) x[i] = 0;
    if (threadIdx.x == 0) losses[blockIdx.x] = 0;
    return;
  }
  __shared__ ExpTable table;
  table.Fill();
  const RowSum row = SumRow(x, n, table);
  if (threadIdx.x == 0) losses[blockIdx.x] = log(row.sum) - (double{x[label]} - row.top.value);
  __syncthreads();
  const double inverse = 1 / row.sum;
#pragma unroll 4
  for (int i = threadIdx.x; i < n; i += kRowThreads) {
    x[i] = static_cast<float>(table.Of(x[i], row.top.value) * inverse - (i == label ? 1 : 0));
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
