#pragma once

#include <algorithm>

#include "workers/kernels/cuda/launch.h"

namespace bitwright::worker::cuda {

// One thread for each element of a part: body(row, column).
template <typename Body>
__global__ void ForElementsKernel(int64_t rows, int64_t columns, Body body) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < rows * columns; i += step) {
    body(i / columns, i % columns);
  }
}

template <typename Body>
cudaError_t ForElements(int64_t rows, int64_t columns, cudaStream_t stream, Body body) {
  constexpr int64_t kMostBlocks = 1 << 16;
  if (rows * columns == 0) return cudaSuccess;
  const int64_t blocks = std::min(CeilDiv(rows * columns, kThreads), kMostBlocks);
  ForElementsKernel<<<static_cast<unsigned>(blocks), kThreads, 0, stream>>>(rows, columns, body);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
