#pragma once

#include "workers/kernels/cuda/launch.h"

// Rows one by one: a block of threads each, sums in f64.
namespace bitwright::worker::cuda {

// to (r, p) = w (r, column at p), 0 for dead columns and from `columns` on: [rows, stride]. order by position,
// null: the columns' own; dead by column.
struct GatheredRows {
  float* to;
  int64_t stride;
};
cudaError_t GatherRows(const Wide& w, const int32_t* order, const uint8_t* dead, const GatheredRows& to,
                       cudaStream_t stream);

// to [rows, columns] = a − b
cudaError_t Differences(const Wide& a, const Wide& b, float* to, cudaStream_t stream);

// sums [rows] = Σ_j a_rj b_rj
cudaError_t RowDots(const Wide& a, const Wide& b, double* sums, cudaStream_t stream);

// What a step did to rows: kept where `now` is below `before`, or equal to it where equals are kept; else undone.
struct RowChoice {
  int64_t rows;
  const double* now;
  const double* before;
  bool keeps_equal;
};
// values [rows, per_row] of T are u8, u16 or f32.
template <typename T>
cudaError_t UndoRows(const RowChoice& choice, int64_t per_row, const T* old, T* values, cudaStream_t stream);

// One step of conjugate gradients, each row by itself: x, residual, direction and applied = A direction [rows,
// unknowns]; square [rows] of the residual. All but `applied` move on.
struct ConjugateRows {
  int64_t rows, unknowns;
  float* x;
  float* residual;
  float* direction;
  const float* applied;
  double* square;
};
cudaError_t ConjugateStep(const ConjugateRows& rows, cudaStream_t stream);

// loss [rows] −= added · squared; `squared` [rows].
cudaError_t TakeOffDamping(int64_t rows, double added, const double* squared, double* loss, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
