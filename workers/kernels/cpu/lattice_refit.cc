#include <algorithm>

#include "workers/kernels/cpu/lane_solve.h"
#include "workers/kernels/cpu/lattice_piece.h"
#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;

}  // namespace

void LatticePiece::Gather(const float* units, const float* q, float* x) const {
  std::fill_n(x, supers_.size(), 0.0f);
  for (int64_t j = 0; j < in_; ++j) {
    float* to = x + j / lattice_.super * kRows;
    for (int64_t r = 0; r < kRows; ++r) to[r] += q[j * kRows + r] * units[j * kRows + r];
  }
}

// Each lane solves its own normal equations; reference/grid_refit.cc states them.
void LatticePiece::Refit() {
  Buffer<float> units(in_ * kRows), q(in_ * kRows), hq(in_ * kRows), residual(supers_.size()), old(supers_.size());
  // Values of super-scales of 1.
  std::copy_n(supers_.data(), supers_.size(), old.data());
  std::fill_n(supers_.data(), supers_.size(), 1.0f);
  MultiplyScales();
  ValuesFromCodes();
  std::copy_n(q_.data(), q_.size(), units.data());
  Gather(units.data(), r_.data(), residual.data());
  const Buffer<float> step = SolveLanes(residual, [&](const float* x, float* to) {
    for (int64_t i = 0; i < in_ * kRows; ++i) q[i] = x[i / kRows / lattice_.super * kRows + i % kRows] * units[i];
    MultiplyMoment(q.data(), hq.data());
    Gather(units.data(), hq.data(), to);
  });
  double before[kRows];
  std::copy_n(j_, kRows, before);
  for (int64_t i = 0; i < old.size(); ++i) supers_[i] = StoredScale(ScaleType::kF16, double{old[i]} + step[i]);
  MultiplyScales();
  ValuesFromCodes();
  FollowValues();
  for (int64_t i = 0; i < old.size(); ++i) {
    if (!(j_[i % kRows] < before[i % kRows])) supers_[i] = old[i];  // also where the new scale is not finite
  }
  MultiplyScales();
  ValuesFromCodes();
  FollowValues();
}

}  // namespace bitwright::worker
