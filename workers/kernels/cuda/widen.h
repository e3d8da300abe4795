#pragma once

#include "workers/kernels/cuda/launch.h"
#include "workers/tensor/dtype.h"

// Elements as a model's file has them, f32, f16 or bf16, in device memory, row after row without gaps.
namespace bitwright::worker::cuda {

// to = factor · stored, added to `to` where `add`; the product is rounded before it is added.
cudaError_t Widen(const void* stored, DType type, float factor, bool add, const Wide& to, cudaStream_t stream);
// to [columns, rows] = stored [rows, columns], transposed.
cudaError_t WidenTransposed(const void* stored, DType type, const Wide& to, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
