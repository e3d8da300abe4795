#include "workers/kernels/cuda/triangle.h"

#include "workers/kernels/cuda/grid.cuh"

namespace bitwright::worker::cuda {
namespace {

// body(row, column, place in `packed`) for what is in the part; rows are walked as wide as the first.
template <typename Body>
cudaError_t ForTriangle(const TriangleRowsPart& part, cudaStream_t stream, Body body) {
  const int64_t begin = part.Offset(part.first);
  return ForElements(part.rows, part.n - part.first, stream, [=] __device__(int64_t r, int64_t c) {
    const int64_t row = part.first + r, column = row + c;
    if (column < part.n) body(row, column, row * (2 * part.n - row + 1) / 2 - begin + c);
  });
}

}  // namespace

cudaError_t Reverse(const TriangleRowsPart& part, const float* packed, const ReversedMoment& to, cudaStream_t stream) {
  return ForTriangle(part, stream, [=] __device__(int64_t row, int64_t column, int64_t at) {
    const int64_t i = part.n - 1 - to.position[row], j = part.n - 1 - to.position[column];
    const int64_t place = i > j ? i * part.n + j : j * part.n + i;
    to.a[place] = row == column ? double{to.diagonal[row]} + to.added : double{packed[at]};
  });
}

cudaError_t PackFactor(const TriangleRowsPart& part, const double* c, float* packed, cudaStream_t stream) {
  return ForTriangle(part, stream, [=] __device__(int64_t row, int64_t column, int64_t at) {
    const int64_t i = part.n - 1 - row, j = part.n - 1 - column;
    const double value = c[i * part.n + j];
    packed[at] = static_cast<float>(row == column ? value * value : value / c[j * part.n + j]);
  });
}

cudaError_t UnpackFactor(const TriangleRowsPart& part, const float* packed, float* m, int64_t stride, float* d,
                         cudaStream_t stream) {
  return ForTriangle(part, stream, [=] __device__(int64_t row, int64_t column, int64_t at) {
    if (row == column) d[row] = packed[at];
    m[row * stride + column] = row == column ? 1 : packed[at];
  });
}

cudaError_t PackSymmetric(const TriangleRowsPart& part, const float* from, int64_t stride, float* packed,
                          cudaStream_t stream) {
  return ForTriangle(part, stream, [=] __device__(int64_t row, int64_t column, int64_t at) {
    packed[at] = from[row * stride + column];
  });
}

cudaError_t ScaleColumns(const Wide& m, const float* d, float* to, cudaStream_t stream) {
  return ForElements(m.rows, m.columns, stream,
                     [=] __device__(int64_t r, int64_t c) { to[r * m.columns + c] = m.Row(r)[c] * d[c]; });
}

cudaError_t ScatterSymmetric(const Wide& product, int64_t first, const int32_t* order, float* to, int64_t stride,
                             cudaStream_t stream) {
  return ForElements(product.rows, product.columns, stream, [=] __device__(int64_t r, int64_t c) {
    if (c < r) return;
    const int64_t row = order[first + r], column = order[first + c];
    to[row * stride + column] = to[column * stride + row] = product.Row(r)[c];
  });
}

}  // namespace bitwright::worker::cuda
