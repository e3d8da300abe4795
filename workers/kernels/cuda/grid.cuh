#pragma once

#include <algorithm>

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// A block takes so many columns of so many rows that a short row leaves no thread without work.
template <typename Body>
__global__ void ForElementsKernel(int64_t rows, int64_t columns, unsigned column_blocks, Body body) {
  const int64_t row = int64_t{blockIdx.x / column_blocks} * blockDim.y + threadIdx.y;
  const int64_t column = int64_t{blockIdx.x % column_blocks} * blockDim.x + threadIdx.x;
  if (row < rows && column < columns) body(row, column);
}

// One thread for each element of a part: body(row, column).
template <typename Body>
cudaError_t ForElements(int64_t rows, int64_t columns, cudaStream_t stream, Body body) {
  if (rows * columns == 0) return cudaSuccess;
  unsigned width = 1;
  while (width < columns && width < kThreads) width *= 2;
  const dim3 block(width, kThreads / width);
  const int64_t column_blocks = CeilDiv(columns, width), blocks = column_blocks * CeilDiv(rows, block.y);
  ForElementsKernel<<<static_cast<unsigned>(blocks), block, 0, stream>>>(rows, columns,
                                                                         static_cast<unsigned>(column_blocks), body);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
