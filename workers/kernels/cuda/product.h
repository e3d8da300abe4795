#pragma once

#include "workers/kernels/cuda/cuda_memory.h"

namespace bitwright::worker::cuda {

// A factor of a product as it lies there, row after row: f32, or bf16 (uint16_t). Where it is transposed, its transpose
// is the factor.
template <typename T>
struct Operand {
  const T* data = nullptr;
  int64_t stride = 0;
  bool transposed = false;
};

// to [m, n] = factor · a [m, depth] b [depth, n] + before · to, by cuBLAS. f32 is multiplied as f32 (cuBLAS's default
// mode takes TF32 only where it is asked to), bf16 by tensor cores; sums are f32 either way. `before` 0: to is not
// read.
void Product(const Context& context, float factor, const Operand<float>& a, const Operand<float>& b, int64_t depth,
             float before, const Wide& to);
void Product(const Context& context, float factor, const Operand<uint16_t>& a, const Operand<uint16_t>& b,
             int64_t depth, float before, const Wide& to);

}  // namespace bitwright::worker::cuda
