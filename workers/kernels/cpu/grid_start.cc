#include "workers/kernels/cpu/grid_start.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/grid_search.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;

struct Lanes {
  alignas(64) float of[kRows] = {};
  float& operator[](int64_t r) { return of[r]; }
  float operator[](int64_t r) const { return of[r]; }
};

struct Part {
  const float* w;
  const float* h;
  int64_t columns;
};

// The best so far, lane by lane.
struct Best {
  Best() { std::fill_n(error.of, kRows, 3e38f); }

  // True in `better` where the new one is better.
  void Try(const LaneGrid& grid, const Part& part, const Lanes& s, const Lanes& m, bool* better = nullptr) {
    Lanes tried;
    GroupErrors(grid, part.w, part.h, part.columns, {s.of, m.of}, tried.of);
    for (int64_t r = 0; r < kRows; ++r) {
      const bool wins = tried[r] < error[r];  // not where a scale overflowed
      if (better != nullptr) better[r] = wins;
      error[r] = wins ? tried[r] : error[r];
      scale[r] = wins ? s[r] : scale[r];
      minimum[r] = wins ? m[r] : minimum[r];
    }
  }
  Lanes scale, minimum, error;
};

float NearestZero(const Grid& grid, float zero) {
  return std::clamp(std::round(zero), grid.codebook.front(), grid.codebook.back());
}

void Fit(const Grid& grid, const LaneGrid& lanes, const Part& part, const Lanes& w1, Best& best) {
  Lanes cc, c1, cw, s, m;
  GroupSums(lanes, part.w, part.h, part.columns, {best.scale.of, best.minimum.of}, cc.of, c1.of, cw.of);
  double one = 0;
  for (int64_t j = 0; j < part.columns; ++j) one += part.h[j];
  for (int64_t r = 0; r < kRows; ++r) {
    s[r] = best.scale[r];
    m[r] = best.minimum[r];
    const double a = cc[r], b = c1[r], determinant = a * one - b * b;
    const float straight = a > 0 ? static_cast<float>(cw[r] / a) : s[r];
    if (!grid.minima && !grid.zero_points) {
      s[r] = straight;
    } else if (determinant > 1e-6 * a * one) {
      s[r] = static_cast<float>((cw[r] * one - w1[r] * b) / determinant);
      m[r] = static_cast<float>((cw[r] * b - w1[r] * a) / determinant);
      if (grid.zero_points) {  // the integer nearest to that, and with it the best scale
        const double n = NearestZero(grid, m[r] / s[r]), squares = a - 2 * n * b + n * n * one;
        const double scale = (cw[r] - n * w1[r]) / squares;
        const bool good = scale > 0 && squares > 0;
        s[r] = good ? static_cast<float>(scale) : best.scale[r];
        m[r] = good ? static_cast<float>(n) : best.minimum[r];
      } else if (grid.two_levels() && m[r] < 0) {
        s[r] = straight;
        m[r] = 0;
      }
    }
  }
  best.Try(lanes, part, s, m);
}

Best Search(const Grid& grid, const LaneGrid& lanes, const Part& part) {
  Lanes least, most, w1, s, m;
  std::copy_n(part.w, kRows, least.of);
  std::copy_n(part.w, kRows, most.of);
  for (int64_t j = 0; j < part.columns; ++j) {
    for (int64_t r = 0; r < kRows; ++r) {
      const float w = part.w[j * kRows + r];
      least[r] = std::min(least[r], w);
      most[r] = std::max(most[r], w);
      w1[r] += part.h[j] * w;
    }
  }
  const float low = grid.codebook.front(), high = grid.codebook.back();
  constexpr auto kLeast = static_cast<float>(kLeastGridFactor), kMost = static_cast<float>(kMostGridFactor);
  Best best;
  best.Try(lanes, part, s, m);
  for (int k = 0; k < kGridFactors; ++k) {
    const float factor = kLeast + (kMost - kLeast) * static_cast<float>(k) / (kGridFactors - 1);
    if (grid.minima) {
      for (int64_t r = 0; r < kRows; ++r) {
        const float bottom = grid.two_levels() ? std::min(least[r], 0.0f) : least[r];
        s[r] = (most[r] - bottom) * factor / (high - low);
        m[r] = low * s[r] - bottom;
      }
      best.Try(lanes, part, s, m);
      continue;
    }
    if (grid.zero_points) {
      for (int64_t r = 0; r < kRows; ++r) {
        const float bottom = std::min(least[r], 0.0f);
        s[r] = (std::max(most[r], 0.0f) - bottom) * factor / (high - low);
        m[r] = s[r] == 0 ? 0 : NearestZero(grid, low - bottom / s[r]);
      }
      best.Try(lanes, part, s, m);
      continue;
    }
    for (const float end : {low, high}) {
      if (end == 0 || (end == high && -low == high)) continue;
      for (const float sign : {1.0f, -1.0f}) {
        if (sign < 0 && !grid.both_signs()) continue;
        for (int64_t r = 0; r < kRows; ++r) s[r] = sign * std::max(-least[r], most[r]) * factor / std::abs(end);
        best.Try(lanes, part, s, m);
      }
    }
  }
  for (int k = 0; k < kGridFits; ++k) Fit(grid, lanes, part, w1, best);
  return best;
}

void StoreOneLevel(const Grid& grid, const LaneGrid& lanes, const Part& part, const Best& found, float* scale,
                   float* minimum) {
  Best best;
  for (const double stored_factor : kGridStoredFactors) {
    const auto factor = static_cast<float>(stored_factor);
    Lanes s, m;
    for (int64_t r = 0; r < kRows; ++r) {
      s[r] = StoredScale(grid, double{found.scale[r]} * factor);
      m[r] = grid.minima ? StoredScale(grid, found.minimum[r]) : found.minimum[r];
    }
    best.Try(lanes, part, s, m);
  }
  std::copy_n(best.scale.of, kRows, scale);
  std::copy_n(best.minimum.of, kRows, minimum);
}

// Integers of one group for given super-scales and super-minima; adds the error that they leave.
void ChooseIntegers(const Grid& grid, const LaneGrid& lanes, const Part& part, const Best& found, const Lanes& super,
                    const Lanes& super_minimum, Lanes& k, Lanes& n, Lanes& error) {
  Best best;
  Lanes k0, n0;
  for (int64_t r = 0; r < kRows; ++r) {
    k0[r] = super[r] == 0 ? 0 : std::round(found.scale[r] / super[r]);
    n0[r] = super_minimum[r] == 0 ? 0 : std::round(found.minimum[r] / super_minimum[r]);
  }
  const int reach = grid.minima ? 1 : 0;
  for (int dk = -1; dk <= 1; ++dk) {
    for (int dn = -reach; dn <= reach; ++dn) {
      Lanes s, m, tried_k, tried_n;
      for (int64_t r = 0; r < kRows; ++r) {
        tried_k[r] = std::clamp(k0[r] + static_cast<float>(dk), static_cast<float>(grid.least_scale),
                                static_cast<float>(grid.most_scale));
        tried_n[r] = std::clamp(n0[r] + static_cast<float>(dn), 0.0f, static_cast<float>(grid.most_minimum));
        s[r] = super[r] * tried_k[r];
        m[r] = super_minimum[r] * tried_n[r];
      }
      bool better[kRows];
      best.Try(lanes, part, s, m, better);
      for (int64_t r = 0; r < kRows; ++r) {
        k[r] = better[r] ? tried_k[r] : k[r];
        n[r] = better[r] ? tried_n[r] : n[r];
      }
    }
  }
  for (int64_t r = 0; r < kRows; ++r) error[r] += best.error[r];
}

void StoreTwoLevels(const Grid& grid, const LaneGrid& lanes, const std::vector<Part>& parts, int64_t first,
                    LaneStored& stored) {
  std::vector<Best> found;
  Lanes most, least, most_minimum;
  for (const Part& part : parts) {
    const Best& best = found.emplace_back(Search(grid, lanes, part));
    for (int64_t r = 0; r < kRows; ++r) {
      most[r] = std::max(most[r], best.scale[r]);
      least[r] = std::min(least[r], best.scale[r]);
      most_minimum[r] = std::max(most_minimum[r], best.minimum[r]);
    }
  }
  const int64_t super = grid.ScaleOf(first);
  Lanes lowest;
  std::fill_n(lowest.of, kRows, 3e38f);
  std::vector<Lanes> k(parts.size()), n(parts.size());
  for (const int end : {grid.most_scale, grid.least_scale}) {
    if (end == 0 || (end < 0 && end == grid.most_scale)) continue;
    for (const double factor : kGridSuperFactors) {
      for (const double of_minimum : kGridSuperMinimumFactors) {
        if (!grid.minima && of_minimum != 1) continue;
        Lanes d, m, error;
        for (int64_t r = 0; r < kRows; ++r) {
          const float extreme = most[r] >= -least[r] ? most[r] : least[r];
          d[r] = StoredScale(grid, extreme / static_cast<float>(end) * static_cast<float>(factor));
          if (grid.minima) {
            m[r] = StoredScale(
                grid, most_minimum[r] / static_cast<float>(grid.most_minimum) * static_cast<float>(of_minimum));
          }
        }
        for (size_t g = 0; g < parts.size(); ++g) {
          ChooseIntegers(grid, lanes, parts[g], found[g], d, m, k[g], n[g], error);
        }
        for (int64_t r = 0; r < kRows; ++r) {
          if (!(error[r] < lowest[r])) continue;
          lowest[r] = error[r];
          stored.scales[super * kRows + r] = d[r];
          stored.minima[super * kRows + r] = m[r];
          for (size_t g = 0; g < parts.size(); ++g) {
            const int64_t at = (first + static_cast<int64_t>(g)) * kRows + r;
            stored.sub_scales[at] = k[g][r];
            stored.sub_minima[at] = n[g][r];
          }
        }
      }
    }
  }
}

}  // namespace

LaneStored::LaneStored(const Grid& grid, int64_t columns)
    : scales(grid.scales(columns) * kRows),
      minima(grid.scales(columns) * kRows),
      sub_scales(grid.two_levels() ? grid.groups(columns) * kRows : 0),
      sub_minima(grid.two_levels() ? grid.groups(columns) * kRows : 0) {
  for (Buffer<float>* buffer : {&scales, &minima, &sub_scales, &sub_minima}) {
    std::fill_n(buffer->data(), buffer->size(), 0.0f);
  }
}

void LaneStored::Multiply(const Grid& grid, int64_t group, float* scale, float* minimum) const {
  const int64_t first = grid.ScaleOf(group);
  for (int64_t r = 0; r < kRows; ++r) {
    scale[r] = scales[first * kRows + r] * (grid.two_levels() ? sub_scales[group * kRows + r] : 1);
    minimum[r] = minima[first * kRows + r] * (grid.two_levels() ? sub_minima[group * kRows + r] : 1);
  }
}

void StartLanes(const Grid& grid, const LaneGrid& lanes, const float* w, const float* h, int64_t columns,
                LaneStored& stored) {
  const int64_t per = grid.two_levels() ? grid.super / grid.group : 1;
  for (int64_t first = 0; first < grid.groups(columns); first += per) {
    std::vector<Part> parts;
    for (int64_t g = first; g < first + per; ++g) {
      parts.push_back({w + g * grid.group * kRows, h + g * grid.group, grid.group});
    }
    if (grid.two_levels()) {
      StoreTwoLevels(grid, lanes, parts, first, stored);
    } else {
      StoreOneLevel(grid, lanes, parts[0], Search(grid, lanes, parts[0]), stored.scales.data() + first * kRows,
                    stored.minima.data() + first * kRows);
    }
  }
}

}  // namespace bitwright::worker
