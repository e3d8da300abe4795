#pragma once

#include "workers/kernels/cuda/cuda_memory.h"

namespace bitwright::worker::cuda {

// The second factor of a product as it lies there: [k, n], or [n, k] where transposed.
struct Right {
  Wide b;
  bool transposed = false;
};

// to [m, n] = factor · a [m, k] b + before · to, in f32 of full precision. `before` 0: to is not read.
void Product(const Context& context, float factor, const Wide& a, const Right& right, float before, const Wide& to);

}  // namespace bitwright::worker::cuda
