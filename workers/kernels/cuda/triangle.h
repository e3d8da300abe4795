#pragma once

#include "workers/kernels/cuda/launch.h"

// Packed upper triangles (packed_triangle.h) to and from square matrices, some rows at a time: `packed` holds rows
// [first, first + rows) of one of n.
namespace bitwright::worker::cuda {

struct TriangleRowsPart {
  int64_t n, first, rows;

  constexpr int64_t Offset(int64_t row) const { return row * (2 * n - row + 1) / 2; }
  constexpr int64_t elements() const { return Offset(first + rows) - Offset(first); }
};

// The moment that is factorized: f64 [n, n], of which the diagonal and what is below it counts, with its rows and
// columns permuted and then in reverse. Column c is at `position[c]`.
struct ReversedMoment {
  double* a;
  const int32_t* position;
  const float* diagonal;  // [n] by column
  double added;
};
cudaError_t Reverse(const TriangleRowsPart& part, const float* packed, const ReversedMoment& to, cudaStream_t stream);

// Its Cholesky factor C, back as rows of the packed triangle of M − I + D: row n − 1 − i of C, read backwards, is row i
// of M √D.
cudaError_t PackFactor(const TriangleRowsPart& part, const double* c, float* packed, cudaStream_t stream);

// Rows of M and elements of D from those of the packed M − I + D; m [·, stride].
cudaError_t UnpackFactor(const TriangleRowsPart& part, const float* packed, float* m, int64_t stride, float* d,
                         cudaStream_t stream);

// Packed rows of a symmetric matrix [n, ·], rows `stride` apart.
cudaError_t PackSymmetric(const TriangleRowsPart& part, const float* from, int64_t stride, float* packed,
                          cudaStream_t stream);

// to (i, j) [n, ·] = m (i, j) · d (j)
cudaError_t ScaleColumns(const Wide& m, const float* d, float* to, cudaStream_t stream);

// Rows by position of a symmetric matrix, its rows and columns from `first` on: what is right of the diagonal goes to
// its two places in the order of the columns. to [·, stride].
cudaError_t ScatterSymmetric(const Wide& product, int64_t first, const int32_t* order, float* to, int64_t stride,
                             cudaStream_t stream);

}  // namespace bitwright::worker::cuda
