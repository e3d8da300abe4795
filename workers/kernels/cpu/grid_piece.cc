#include "workers/kernels/cpu/grid_piece.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/gemm.h"
#include "workers/kernels/grid_search.h"
#include "workers/kernels/rounding_order.h"
#include "workers/kernels/stored_scale.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;
constexpr int64_t kBlock = kLaneBlock;
constexpr int64_t kMomentRows = 256;  // of H' that one thread multiplies at a time

}  // namespace

void MakeMoment(const CpuFactor& factor, ThreadPool& pool) {
  absl::call_once(factor.moment_made, [&] {
    const int64_t n = factor.head.inputs;
    factor.moment = Buffer<float>(n * n);
    const auto& order = factor.head.order;
    // Of rows by position, what is right of the diagonal; below it stands the same.
    pool.ParallelFor((n + kMomentRows - 1) / kMomentRows, [&](int64_t part, int) {
      const int64_t begin = part * kMomentRows, rows = std::min(kMomentRows, n - begin);
      Buffer<float> scaled(rows * n), product(rows * n);
      for (int64_t i = 0; i < rows; ++i) {
        const float* m = factor.m.data() + (begin + i) * n;
        for (int64_t j = 0; j < n; ++j) scaled[i * n + j] = m[j] * factor.d[static_cast<size_t>(j)];
      }
      GemmF32(false, true, rows, n, n, 1.0f, scaled.data(), n, factor.m.data(), n, 0.0f, product.data(), n);
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t row = order[static_cast<size_t>(begin + i)];
        for (int64_t j = begin + i; j < n; ++j) {
          const int64_t column = order[static_cast<size_t>(j)];
          factor.moment[row * n + column] = factor.moment[column * n + row] = product[i * n + j];
        }
      }
    });
  });
}

GridPiece::GridPiece(const CpuFactor& factor, const Grid& grid)
    : LanePiece(factor),
      grid_(grid),
      lanes_(grid),
      codes_(in_ * kRows),
      stored_(grid, in_),
      scale_(grid.groups(in_) * kRows),
      minimum_(grid.groups(in_) * kRows) {}

void GridPiece::TakeScales(std::span<const float> scales, int64_t first, int64_t out) {
  const int64_t groups = grid_.groups(in_);
  for (int64_t r = 0; r < std::min(kRows, out - first); ++r) {
    for (int64_t g = 0; g < groups; ++g) {
      stored_.scales[g * kRows + r] = scales[static_cast<size_t>((first + r) * groups + g)];
    }
  }
}

void GridPiece::MultiplyScales() {
  for (int64_t g = 0; g < grid_.groups(in_); ++g) {
    stored_.Multiply(grid_, g, scale_.data() + g * kRows, minimum_.data() + g * kRows);
  }
}

void GridPiece::ValuesFromCodes() {
  for (int64_t j = 0; j < in_; ++j) {
    const float *scale = scale_.data() + j / grid_.group * kRows, *minimum = minimum_.data() + j / grid_.group * kRows;
    for (int64_t r = 0; r < kRows; ++r) {
      const float base = lanes_.codebook[codes_[j * kRows + r]];
      const float value = grid_.zero_points ? (base - minimum[r]) * scale[r] : base * scale[r] - minimum[r];
      q_[j * kRows + r] = RoundTo(grid_.value_type, value);
    }
  }
}

// With an R of zeros a code's best value is the one nearest to what is held.
void GridPiece::NearestCodes() {
  Buffer<float> none(kBlock * kRows), h(kBlock * kBlock), gain(kRows);
  std::fill_n(h.data(), h.size(), 0.0f);
  for (int64_t j = 0; j < kBlock; ++j) h[j * kBlock + j] = 1;
  for (int64_t g = 0; g < grid_.groups(in_); ++g) {
    std::fill_n(none.data(), none.size(), 0.0f);
    const int64_t at = g * grid_.group * kRows;
    ChooseGroup(lanes_, w_.data() + at, none.data(), h.data(), grid_.group,
                {scale_.data() + g * kRows, minimum_.data() + g * kRows}, q_.data() + at, codes_.data() + at,
                gain.data());
  }
}

void GridPiece::FeedBack() {
  Buffer<float> w(in_ * kRows), error(in_ * kRows), sum(kBlock * kRows);
  Buffer<int8_t> codes(in_ * kRows);
  const auto& order = factor_.head.order;
  for (int64_t j = 0; j < in_; ++j) std::copy_n(w_.data() + order[j] * kRows, kRows, w.data() + j * kRows);
  double loss[kRows] = {}, squared[kRows] = {};
  for (int64_t begin = 0; begin < in_; begin += kBlock) {
    const int64_t width = std::min(kBlock, in_ - begin);
    SumEarlierErrors(factor_, error.data(), begin, width, sum.data());
    const float *scales[kBlock], *minima[kBlock];
    for (int64_t j = 0; j < width; ++j) {
      scales[j] = scale_.data() + order[begin + j] / grid_.group * kRows;
      minima[j] = minimum_.data() + order[begin + j] / grid_.group * kRows;
    }
    RoundColumnsOnGrid(
        {w.data() + begin * kRows, sum.data(), error.data() + begin * kRows, codes.data() + begin * kRows,
         factor_.blocks.data() + begin * kBlock, factor_.d.data() + begin, scales, loss, squared, minima},
        0, width, lanes_);
  }
  for (int64_t j = 0; j < in_; ++j) std::memcpy(codes_.data() + order[j] * kRows, codes.data() + j * kRows, kRows);
}

// What a group may change to, lane by lane.
struct GridPiece::Choice {
  explicit Choice(int64_t group) : values(group * kRows), best_values(group * kRows), rest(group * kRows) {}

  Buffer<float> values, best_values, rest;
  Buffer<uint8_t> codes = Buffer<uint8_t>(kBlock * kRows), best_codes = Buffer<uint8_t>(kBlock * kRows);
  alignas(64) float scale[kRows], minimum[kRows], gain[kRows], best_gain[kRows];
  // As stored: scale and minimum, or their integers.
  alignas(64) float first[kRows], second[kRows], best_first[kRows], best_second[kRows];
};

void GridPiece::SweepGroup(int64_t group, const float* h, Choice& c, float* delta) {
  const int64_t at = group * grid_.group * kRows, count = grid_.group * kRows;
  const bool two = grid_.two_levels();
  float* stored = (two ? stored_.sub_scales : stored_.scales).data() + group * kRows;
  float* stored_minimum = (two ? stored_.sub_minima : stored_.minima).data() + group * kRows;
  const float* super = stored_.scales.data() + grid_.ScaleOf(group) * kRows;
  const float* super_minimum = stored_.minima.data() + grid_.ScaleOf(group) * kRows;
  std::fill_n(c.best_gain, kRows, 0.0f);
  std::copy_n(stored, kRows, c.best_first);
  std::copy_n(stored_minimum, kRows, c.best_second);
  std::copy_n(q_.data() + at, count, c.best_values.data());
  std::copy_n(codes_.data() + at, count, c.best_codes.data());
  const auto attempt = [&](const auto& change) {
    for (int64_t r = 0; r < kRows; ++r) {
      c.first[r] = stored[r];
      c.second[r] = stored_minimum[r];
      change(c.first[r], c.second[r]);
      c.scale[r] = two ? super[r] * c.first[r] : c.first[r];
      c.minimum[r] = two ? super_minimum[r] * c.second[r] : c.second[r];
    }
    std::copy_n(r_.data() + at, count, c.rest.data());
    ChooseGroup(lanes_, q_.data() + at, c.rest.data(), h, grid_.group, {c.scale, c.minimum}, c.values.data(),
                c.codes.data(), c.gain);
    bool any = false;
    for (int64_t r = 0; r < kRows; ++r) any = any || c.gain[r] > c.best_gain[r];
    if (!any) return;
    for (int64_t j = 0; j < grid_.group; ++j) {
      for (int64_t r = 0; r < kRows; ++r) {
        const bool wins = c.gain[r] > c.best_gain[r];
        const int64_t i = j * kRows + r;
        c.best_values[i] = wins ? c.values[i] : c.best_values[i];
        c.best_codes[i] = wins ? c.codes[i] : c.best_codes[i];
      }
    }
    for (int64_t r = 0; r < kRows; ++r) {
      const bool wins = c.gain[r] > c.best_gain[r];
      c.best_first[r] = wins ? c.first[r] : c.best_first[r];
      c.best_second[r] = wins ? c.second[r] : c.best_second[r];
      c.best_gain[r] = wins ? c.gain[r] : c.best_gain[r];
    }
  };
  attempt([](float&, float&) {});
  if (two) {
    const auto low = static_cast<float>(grid_.least_scale), high = static_cast<float>(grid_.most_scale);
    const auto most = static_cast<float>(grid_.most_minimum);
    for (int dk = -1; dk <= 1; ++dk) {
      for (int dn = grid_.minima ? -1 : 0; dn <= (grid_.minima ? 1 : 0); ++dn) {
        if (dk == 0 && dn == 0) continue;
        attempt([&](float& k, float& n) {
          k = std::clamp(k + static_cast<float>(dk), low, high);
          n = std::clamp(n + static_cast<float>(dn), 0.0f, most);
        });
      }
    }
  } else if (!grid_.given_scales) {
    for (const float step : GridScaleSteps(grid_.scale_type)) {
      attempt([&](float& s, float&) { s = StoredScale(grid_, double{s} * step); });
    }
    for (const float step : kGridMinimumSteps) {
      if (!grid_.minima) break;
      attempt([&](float& s, float& m) { m = StoredScale(grid_, double{m} + step * std::abs(s)); });
    }
    for (const float step : {-1.0f, 1.0f}) {
      if (!grid_.zero_points) break;
      attempt([&](float&, float& n) { n = std::clamp(n + step, grid_.codebook.front(), grid_.codebook.back()); });
    }
  }
  for (int64_t i = 0; i < count; ++i) {
    delta[i] = c.best_values[i] - q_[at + i];
    q_[at + i] = c.best_values[i];
    codes_[at + i] = c.best_codes[i];
  }
  std::copy_n(c.best_first, kRows, stored);
  std::copy_n(c.best_second, kRows, stored_minimum);
}

void GridPiece::Sweep() {
  Choice choice(grid_.group);
  SweepGroups(grid_.group, [&](int64_t group, const float* h, float* delta) { SweepGroup(group, h, choice, delta); });
  MultiplyScales();
  FollowValues();
}

void GridPiece::FeedBackWhereBetter() {
  double start[kRows];
  std::copy_n(j_, kRows, start);
  Buffer<uint8_t> nearest(in_ * kRows);
  std::copy_n(codes_.data(), codes_.size(), nearest.data());
  FeedBack();
  ValuesFromCodes();
  FollowValues();
  if (std::equal(j_, j_ + kRows, start, std::less_equal<>())) return;
  for (int64_t j = 0; j < in_; ++j) {
    for (int64_t r = 0; r < kRows; ++r) {
      if (j_[r] > start[r]) codes_[j * kRows + r] = nearest[j * kRows + r];
    }
  }
  ValuesFromCodes();
  FollowValues();
}

void GridPiece::Round(const Matrix& weights, int64_t first, const GridSteps& steps) {
  GatherWeights(weights, first);
  if (grid_.given_scales) {
    TakeScales(steps.scales, first, weights.rows);
  } else {
    StartLanes(grid_, lanes_, w_.data(), diagonal_.data(), in_, stored_);
  }
  MultiplyScales();
  NearestCodes();
  FollowValues();
  InOrderOfSteps(
      steps, [this] { FeedBackWhereBetter(); }, [this] { Sweep(); }, [this] { Refit(); });
}

void GridPiece::Scatter(int64_t out, int64_t first, GridRounded& to) const {
  const int64_t rows = std::min(kRows, out - first), groups = grid_.groups(in_), scales = Scales();
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t row = first + r;
    for (int64_t j = 0; j < in_; ++j) to.codes.codes[static_cast<size_t>(row * in_ + j)] = codes_[j * kRows + r];
    to.row_loss[static_cast<size_t>(row)] = RowLoss(r);
    for (int64_t s = 0; s < scales; ++s) {
      to.codes.scales[static_cast<size_t>(row * scales + s)] = stored_.scales[s * kRows + r];
      const float minimum = stored_.minima[s * kRows + r];
      if (grid_.minima) to.codes.minima[static_cast<size_t>(row * scales + s)] = minimum;
      if (grid_.zero_points) to.codes.zeros[static_cast<size_t>(row * scales + s)] = static_cast<int8_t>(minimum);
    }
    for (int64_t g = 0; grid_.two_levels() && g < groups; ++g) {
      const auto at = static_cast<size_t>(row * groups + g);
      to.codes.sub_scales[at] = static_cast<int8_t>(stored_.sub_scales[g * kRows + r]);
      if (grid_.minima) to.codes.sub_minima[at] = static_cast<uint8_t>(stored_.sub_minima[g * kRows + r]);
    }
  }
}

}  // namespace bitwright::worker
