#pragma once

#include "workers/kernels/cuda/grid_start.h"
#include "workers/kernels/cuda/nearest.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {

inline constexpr int kMostGroup = 128;
inline constexpr float kNone = 3e38f;  // no error is as large

// Columns that share scales, in shared memory, with the weight of each one's error.
struct Group {
  float w[kMostGroup], h[kMostGroup];
};

struct Scale {
  float scale = 0, minimum = 0;
};

// One super-block (one group, where there is one level) of a row, in one warp.
class GroupSearch {
 public:
  __device__ GroupSearch(const GridRows& rows, const GridSearch& search, Group& group)
      : rows_(rows),
        search_(search),
        grid_(rows.values),
        low_(rows.values->codebook[0]),
        high_(rows.values->codebook[rows.values->count - 1]),
        group_(group),
        columns_(static_cast<int>(rows.group)) {}

  __device__ void Load(int64_t row, int64_t g, const float* moment) {
    __syncwarp();
    for (int j = Lane(); j < columns_; j += kWarp) {
      const int64_t column = g * columns_ + j;
      group_.w[j] = rows_.w[row * rows_.stride + column];
      group_.h[j] = moment[column * (rows_.stride + 1)];
    }
    __syncwarp();
  }

  // The best scale and minimum of the group, not yet as stored.
  __device__ Scale Find() const {
    float least = group_.w[0], most = group_.w[0];
    double one = 0, w1 = 0;
    for (int j = Lane(); j < columns_; j += kWarp) {
      least = fminf(least, group_.w[j]);
      most = fmaxf(most, group_.w[j]);
      one += group_.h[j];
      w1 += double{group_.h[j]} * group_.w[j];
    }
    least = LaneMin(least);
    most = LaneMax(most);
    one = LaneSum(one);
    w1 = LaneSum(w1);
    LeastOf own{kNone, -1};
    for (int k = Lane(); k <= search_.scales; k += kWarp) {
      const float error = Error(Candidate(k, least, most));
      if (error < own.cost) own = {error, k};
    }
    const LeastOf best = LaneLeast(own.cost, own.index, kNone);
    Scale found = best.index < 0 ? Scale{} : Candidate(best.index, least, most);
    float error = best.cost;
    for (int k = 0; k < search_.fits; ++k) {
      const Scale fitted = Fit(found, one, w1);
      const float tried = ErrorTogether(fitted);
      if (!(tried < error)) continue;
      error = tried;
      found = fitted;
    }
    return found;
  }

  // One level: the best of the stored neighbours.
  __device__ Scale Store(Scale found) const {
    Scale own;
    float error = kNone;
    if (Lane() < search_.stored) {
      own.scale = Stored(double{found.scale} * search_.of_found[Lane()]);
      own.minimum = rows_.minima ? Stored(found.minimum) : found.minimum;
      error = Error(own);
    }
    const LeastOf best = LaneLeast(error, Lane(), kNone);
    const int from = max(best.index, 0);
    const Scale stored{__shfl_sync(kAllLanes, own.scale, from), __shfl_sync(kAllLanes, own.minimum, from)};
    return best.index < 0 ? Scale{} : stored;
  }

  // Integers k and n for given super-scales and super-minima, `tried` of them: the nearest ones and their neighbours.
  __device__ int Reach() const { return rows_.minima ? 9 : 3; }
  __device__ Scale Integers(Scale found, Scale super, int tried) const {
    const float dk = static_cast<float>(rows_.minima ? tried / 3 - 1 : tried - 1);
    const float dn = static_cast<float>(rows_.minima ? tried % 3 - 1 : 0);
    const float k = super.scale == 0 ? 0 : roundf(found.scale / super.scale);
    const float n = super.minimum == 0 ? 0 : roundf(found.minimum / super.minimum);
    return {fminf(fmaxf(k + dk, static_cast<float>(rows_.least_scale)), static_cast<float>(rows_.most_scale)),
            fminf(fmaxf(n + dn, 0), static_cast<float>(rows_.most_minimum))};
  }
  __device__ float ErrorOf(Scale super, Scale integers) const {
    return Error({super.scale * integers.scale, super.minimum * integers.minimum});
  }

  __device__ float Stored(double value) const { return StoredScale(rows_.scale_type, rows_.scale_divisor, value); }

 private:
  __device__ float NearestZero(float zero) const { return fminf(fmaxf(roundf(zero), low_), high_); }

  __device__ Scale Candidate(int k, float least, float most) const {
    if (k == 0) return {};
    const float factor = search_.scale[k - 1];
    if (rows_.minima) {
      const float bottom = rows_.two_levels() ? fminf(least, 0) : least, scale = (most - bottom) * factor;
      return {scale, low_ * scale - bottom};
    }
    if (rows_.zero_points) {
      const float bottom = fminf(least, 0), scale = (fmaxf(most, 0) - bottom) * factor;
      return {scale, scale == 0 ? 0 : NearestZero(low_ - bottom / scale)};
    }
    return {fmaxf(-least, most) * factor, 0};
  }

  __device__ float ErrorAt(int j, Scale s, float inverse) const {
    const Near near = grid_.Nearest(group_.w[j], inverse, s.minimum);
    const float miss = group_.w[j] - grid_.Value(near.of_codebook, s.scale, s.minimum);
    return miss * miss * group_.h[j];
  }
  // By one lane, and by all of them.
  __device__ float Error(Scale s) const {
    const float inverse = InverseScale(s.scale);
    float error = 0;
    for (int j = 0; j < columns_; ++j) error += ErrorAt(j, s, inverse);
    return error;
  }
  __device__ float ErrorTogether(Scale s) const {
    const float inverse = InverseScale(s.scale);
    float error = 0;
    for (int j = Lane(); j < columns_; j += kWarp) error += ErrorAt(j, s, inverse);
    return LaneSum(error);
  }

  // Scale and, where the grid has one, minimum of least weighted squared error for the codes that `from` gives.
  __device__ Scale Fit(Scale from, double one, double w1) const {
    const float inverse = InverseScale(from.scale);
    double cc = 0, c1 = 0, cw = 0;
    for (int j = Lane(); j < columns_; j += kWarp) {
      const double c = grid_.Nearest(group_.w[j], inverse, from.minimum).of_codebook, h = group_.h[j];
      cc += h * c * c;
      c1 += h * c;
      cw += h * c * group_.w[j];
    }
    cc = LaneSum(cc);
    c1 = LaneSum(c1);
    cw = LaneSum(cw);
    const Scale straight{cc > 0 ? static_cast<float>(cw / cc) : from.scale, 0};
    if (!rows_.minima && !rows_.zero_points) return straight;
    const double determinant = cc * one - c1 * c1;
    if (!(determinant > 1e-6 * cc * one)) return from;
    const Scale to{static_cast<float>((cw * one - w1 * c1) / determinant),
                   static_cast<float>((cw * c1 - w1 * cc) / determinant)};
    if (rows_.zero_points) {  // the integer nearest to that, and with it the best scale
      const double n = NearestZero(to.minimum / to.scale), squares = cc - 2 * n * c1 + n * n * one;
      const double scale = (cw - n * w1) / squares;
      return scale > 0 && squares > 0 ? Scale{static_cast<float>(scale), static_cast<float>(n)} : from;
    }
    return rows_.two_levels() && to.minimum < 0 ? straight : to;
  }

  const GridRows& rows_;
  const GridSearch& search_;
  const NearGrid grid_;
  const float low_, high_;
  Group& group_;
  const int columns_;
};

}  // namespace bitwright::worker::cuda
