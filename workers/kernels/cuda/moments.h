#pragma once

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// Device::AddSquares. partial: SquareParts(rows) · columns numbers in device memory.
int64_t SquareParts(int64_t rows);
cudaError_t AddSquares(const Wide& x, double* partial, float* sums, cudaStream_t stream);

// packed = factor · rows [first, first + count) of the upper triangle of a square matrix, one after the other, each
// from its diagonal on.
cudaError_t PackTriangle(const Wide& from, float factor, int64_t first, int64_t count, float* packed,
                         cudaStream_t stream);

}  // namespace bitwright::worker::cuda
