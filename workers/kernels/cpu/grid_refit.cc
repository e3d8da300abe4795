#include <algorithm>

#include "workers/kernels/cpu/grid_piece.h"
#include "workers/kernels/cpu/lane_solve.h"
#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;

}  // namespace

float GridPiece::Base(int64_t column, int64_t lane) const {
  const float base = lanes_.codebook[codes_[column * kRows + lane]];
  return grid_.zero_points ? base - stored_.minima[column / grid_.group * kRows + lane] : base;
}

void GridPiece::Spread(const float* x, float* q) const {
  const int64_t minima = Scales() * kRows;
  for (int64_t j = 0; j < in_; ++j) {
    const int64_t group = j / grid_.group;
    const float *s = x + grid_.ScaleOf(group) * kRows, *m = s + minima;
    for (int64_t r = 0; r < kRows; ++r) {
      const float k = grid_.two_levels() ? stored_.sub_scales[group * kRows + r] : 1;
      const float n = grid_.two_levels() ? stored_.sub_minima[group * kRows + r] : 1;
      q[j * kRows + r] = s[r] * k * Base(j, r) - (grid_.minima ? m[r] * n : 0);
    }
  }
}

void GridPiece::Gather(const float* q, float* x) const {
  const int64_t minima = Scales() * kRows;
  std::fill_n(x, minima * (grid_.minima ? 2 : 1), 0.0f);
  for (int64_t j = 0; j < in_; ++j) {
    const int64_t group = j / grid_.group;
    float *s = x + grid_.ScaleOf(group) * kRows, *m = s + minima;
    for (int64_t r = 0; r < kRows; ++r) {
      const float k = grid_.two_levels() ? stored_.sub_scales[group * kRows + r] : 1;
      s[r] += q[j * kRows + r] * k * Base(j, r);
      if (grid_.minima) m[r] -= q[j * kRows + r] * (grid_.two_levels() ? stored_.sub_minima[group * kRows + r] : 1);
    }
  }
}

// Each lane solves its own normal equations; reference/grid_refit.cc states them.
void GridPiece::Refit() {
  if (grid_.given_scales) return;
  Buffer<float> residual(Scales() * kRows * (grid_.minima ? 2 : 1)), q(in_ * kRows), hq(in_ * kRows);
  Gather(r_.data(), residual.data());
  const Buffer<float> step = SolveLanes(residual, [&](const float* x, float* to) {
    Spread(x, q.data());
    MultiplyMoment(q.data(), hq.data());
    Gather(hq.data(), to);
  });
  double before[kRows];
  std::copy_n(j_, kRows, before);
  const int64_t scales = Scales() * kRows;
  Buffer<float> old_scales(scales), old_minima(scales);
  std::copy_n(stored_.scales.data(), scales, old_scales.data());
  std::copy_n(stored_.minima.data(), scales, old_minima.data());
  for (int64_t i = 0; i < scales; ++i) {
    const double scale = double{old_scales[i]} + step[i];
    stored_.scales[i] = StoredScale(grid_, grid_.both_signs() ? scale : std::max(scale, 0.0));
    if (grid_.minima) stored_.minima[i] = StoredScale(grid_, double{old_minima[i]} + step[scales + i]);
  }
  MultiplyScales();
  ValuesFromCodes();
  FollowValues();
  for (int64_t i = 0; i < scales; ++i) {
    if (j_[i % kRows] < before[i % kRows]) continue;  // also where the new scale is not finite
    stored_.scales[i] = old_scales[i];
    stored_.minima[i] = old_minima[i];
  }
  MultiplyScales();
  ValuesFromCodes();
  FollowValues();
}

}  // namespace bitwright::worker
