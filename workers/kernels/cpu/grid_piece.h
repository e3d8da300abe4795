#pragma once

#include <cstdint>
#include <span>

#include "workers/base/thread_pool.h"
#include "workers/kernels/cpu/cpu_factor.h"
#include "workers/kernels/cpu/grid_start.h"
#include "workers/kernels/cpu/lane_piece.h"
#include "workers/kernels/rounding.h"

namespace bitwright::worker {

// Fills factor.moment, once: H' = M D Mᵀ, put back into the order of the columns. Thread-safe.
void MakeMoment(const CpuFactor& factor, ThreadPool& pool);

// 64 rows of one linear on their way through RoundOnGrid. Scratch of one thread; arrays are [in, 64] unless stated.
// The factor has its moment.
class GridPiece : LanePiece {
 public:
  GridPiece(const CpuFactor& factor, const Grid& grid);

  void Round(const Matrix& weights, int64_t first, const GridSteps& steps);
  // Rows [first, first + 64) of the result.
  void Scatter(int64_t out, int64_t first, GridRounded& to) const;

 private:
  struct Choice;

  // Given scales [out, groups] of the rows from `first` on.
  void TakeScales(std::span<const float> scales, int64_t first, int64_t out);
  void MultiplyScales();
  void NearestCodes();
  void FeedBack();
  void FeedBackWhereBetter();
  void Sweep();
  void SweepGroup(int64_t group, const float* h, Choice& choice, float* delta);
  void Refit();
  void ValuesFromCodes();
  // What the scale of a lane's column multiplies.
  float Base(int64_t column, int64_t lane) const;
  // q = x's scales (and minima) times what stands beside them; and the transpose of that.
  void Spread(const float* x, float* q) const;
  void Gather(const float* q, float* x) const;
  int64_t Scales() const { return grid_.scales(in_); }

  const Grid& grid_;
  const LaneGrid lanes_;
  Buffer<uint8_t> codes_;
  LaneStored stored_;
  Buffer<float> scale_, minimum_;  // [groups, 64] multiplied out; of zero points their integers
};

}  // namespace bitwright::worker
