#pragma once

#include "workers/kernels/cuda/exponential.cuh"
#include "workers/kernels/cuda/sums.cuh"

// The softmax of a row by a block that reads it once: every thread keeps the largest of its elements so far, and what
// it has summed is scaled when that grows.
namespace bitwright::worker::cuda {

constexpr int kRowThreads = 512;
constexpr int kRowStep = 8;  // elements that a thread reads before it looks for a larger one
constexpr int kStepElements = kRowThreads * kRowStep;

// What stands for elements past a row's end: below every logit, of no weight in any sum.
constexpr float kPastEnd = -3.4028234663852886e38f;

// Of one thread or, once gathered, of the row.
struct RowSum {
  Largest top{-INFINITY, INT32_MAX};
  double sum = 0;  // Σ exp(x − top)

  // What a sum relative to `before`, the largest so far, must be multiplied with.
  __device__ double ScaleFrom(float before) const {
    return top.value == before || before == -INFINITY ? 1 : exp(double{before} - top.value);
  }
  // Takes the maximum of elements that come after all before; what sums so far must be multiplied with.
  __device__ double Raise(const float (&x)[kRowStep], int first) {
    const float before = top.value;
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) {
      if (x[i] > top.value) top = {x[i], first + i * kRowThreads};
    }
    return ScaleFrom(before);
  }
};

// x[i] = row[first + i · threads]
__device__ inline void ReadStep(const float* row, int first, int n, float (&x)[kRowStep]) {
#pragma unroll
  for (int i = 0; i < kRowStep; ++i) x[i] = first + i * kRowThreads < n ? row[first + i * kRowThreads] : kPastEnd;
}

// What a thread's sums must be multiplied with when they are to be relative to the row's largest.
__device__ inline double ScaleTo(const Largest& top, const Largest& own) {
  return own.index == INT32_MAX ? 0 : exp(double{own.value} - top.value);  // a thread without elements has nothing
}

__device__ inline RowSum SumRow(const float* row, int n, const ExpTable& table) {
  RowSum own;
  for (int first = threadIdx.x; first < n; first += kStepElements) {
    float x[kRowStep];
    ReadStep(row, first, n, x);
    own.sum *= own.Raise(x, first);
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) own.sum += table.Of(x[i], own.top.value);
  }
  RowSum all;
  all.top = BlockLargest(own.top);
  all.sum = BlockSum(own.sum * ScaleTo(all.top, own.top));
  return all;
}

}  // namespace bitwright::worker::cuda
