#include "workers/kernels/cuda/moments.h"

#include "workers/kernels/cuda/grid.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int64_t kSquareRows = 128;  // that are summed before their sums are added up

}  // namespace

int64_t SquareParts(int64_t rows) { return CeilDiv(rows, kSquareRows); }

cudaError_t AddSquares(const Wide& x, double* partial, float* sums, cudaStream_t stream) {
  const int64_t parts = SquareParts(x.rows), columns = x.columns;
  const cudaError_t error = ForElements(parts, columns, stream, [=] __device__(int64_t part, int64_t c) {
    const int64_t end = min((part + 1) * kSquareRows, x.rows);
    double sum = 0;
#pragma unroll 16
    for (int64_t r = part * kSquareRows; r < end; ++r) sum += double{x.Row(r)[c]} * x.Row(r)[c];
    partial[part * columns + c] = sum;
  });
  if (error != cudaSuccess) return error;
  return ForElements(1, columns, stream, [=] __device__(int64_t, int64_t c) {
    double sum = 0;
#pragma unroll 16
    for (int64_t part = 0; part < parts; ++part) sum += partial[part * columns + c];
    sums[c] += static_cast<float>(sum);
  });
}

cudaError_t PackTriangle(const Wide& from, float factor, int64_t first, int64_t count, float* packed,
                         cudaStream_t stream) {
  const int64_t n = from.columns;
  return ForElements(count, n - first, stream, [=] __device__(int64_t i, int64_t j) {
    if (j >= i) packed[i * (n - first) - i * (i - 1) / 2 + j - i] = factor * from.Row(first + i)[first + j];
  });
}

}  // namespace bitwright::worker::cuda
