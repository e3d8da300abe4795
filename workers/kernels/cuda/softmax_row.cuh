#pragma once

#include "workers/kernels/cuda/sums.cuh"

// The softmax of a row by a block that reads it once: every thread keeps the largest of its elements so far, and what
// it has summed is scaled when that grows.
namespace bitwright::worker::cuda {

constexpr int kRowThreads = 512;
constexpr int kRowStep = 8;  // elements that a thread reads before it looks for a larger one
constexpr int kStepElements = kRowThreads * kRowStep;

// Of one thread or, once gathered, of the row.
struct RowSum {
  Largest top{-INFINITY, INT64_MAX};
  double sum = 0;  // Σ exp(x − top)

  // Takes new elements' maximum; what sums so far must be multiplied with.
  __device__ double Raise(const float (&x)[kRowStep], int64_t first, int64_t n) {
    const float before = top.value;
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) {
      const int64_t at = first + int64_t{i} * kRowThreads;
      if (at < n) top.Take(x[i], at);
    }
    return top.value == before || before == -INFINITY ? 1 : exp(double{before} - top.value);
  }
};

// x[i] = row[first + i · threads]; past the end 0.
__device__ inline void ReadStep(const float* row, int64_t first, int64_t n, float (&x)[kRowStep]) {
#pragma unroll
  for (int i = 0; i < kRowStep; ++i) {
    const int64_t at = first + int64_t{i} * kRowThreads;
    x[i] = at < n ? row[at] : 0.0f;
  }
}

// What a thread's sums become when they are to be relative to the row's largest.
__device__ inline double ScaleTo(const Largest& top, const Largest& own) {
  return own.index == INT64_MAX ? 0 : exp(double{own.value} - top.value);  // a thread without elements has nothing
}

__device__ inline RowSum SumRow(const float* row, int64_t n) {
  RowSum own;
  for (int64_t first = threadIdx.x; first < n; first += kStepElements) {
    float x[kRowStep];
    ReadStep(row, first, n, x);
    own.sum *= own.Raise(x, first, n);
#pragma unroll
    for (int i = 0; i < kRowStep; ++i) {
      if (first + int64_t{i} * kRowThreads < n) own.sum += exp(double{x[i]} - own.top.value);
    }
  }
  RowSum all;
  all.top = BlockLargest(own.top);
  all.sum = BlockSum(own.sum * ScaleTo(all.top, own.top));
  return all;
}

}  // namespace bitwright::worker::cuda
