#include "tests/conformance/sample_grids.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

template <int first, int count>
constexpr std::array<float, count> kIntegers = [] {
  std::array<float, count> values{};
  for (int i = 0; i < count; ++i) values[static_cast<size_t>(i)] = static_cast<float>(first + i);
  return values;
}();

// Of no sign but for its ends, and dense around zero.
constexpr float kQuantiles[] = {-1, -0.53f, -0.28f, -0.09f, 0, 0.16f, 0.34f, 1};
constexpr float kUneven[] = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12};

Grid OneLevel(std::span<const float> codebook, int64_t group, ScaleType scale_type, DType value_type) {
  Grid grid;
  grid.codebook = codebook;
  grid.group = group;
  grid.scale_type = scale_type;
  grid.value_type = value_type;
  return grid;
}

// Two bits of fraction, exponents from −2.
Grid Floats(ScaleType scale_type) {
  static const auto& floats = *new std::vector<float>(SmallFloats(2, -2, 14));
  Grid grid = OneLevel(floats, 32, scale_type, DType::kBF16);
  grid.fraction_bits = 2;
  return grid;
}

}  // namespace

std::vector<SampleGrid> SampleGrids(int64_t super) {
  Grid integers = OneLevel(kIntegers<-4, 8>, 32, ScaleType::kBF16, DType::kBF16);
  integers.negative_scales = true;
  Grid minima = OneLevel(kIntegers<0, 16>, 32, ScaleType::kF16, DType::kF32);
  minima.minima = true;
  const Grid powers = OneLevel(kUneven, 32, ScaleType::kE8M0, DType::kF16);
  Grid minifloats = OneLevel(kUneven, 16, ScaleType::kE4M3, DType::kF32);
  minifloats.scale_divisor = 300;
  Grid levels = OneLevel(kIntegers<-4, 8>, 16, ScaleType::kF16, DType::kF32);
  levels.super = super;
  levels.least_scale = -32;
  levels.most_scale = 31;
  levels.negative_scales = true;
  Grid levels_minima = OneLevel(kIntegers<0, 4>, 16, ScaleType::kF16, DType::kF32);
  levels_minima.super = super;
  levels_minima.most_scale = levels_minima.most_minimum = 15;
  levels_minima.minima = true;
  Grid zeros = OneLevel(kIntegers<-8, 16>, 32, ScaleType::kF16, DType::kF16);
  zeros.zero_points = true;
  const Grid floats = Floats(ScaleType::kE8M0);
  Grid given = Floats(ScaleType::kF32);
  given.given_scales = true;
  const Grid quantiles = OneLevel(kQuantiles, 64, ScaleType::kF32, DType::kF32);
  return {{"integers", integers},           {"with minima", minima}, {"powers of two", powers},
          {"minifloat scales", minifloats}, {"two levels", levels},  {"two levels with minima", levels_minima},
          {"zero points", zeros},           {"floats", floats},      {"given scales", given},
          {"quantiles", quantiles}};
}

std::vector<float> GivenScales(const Grid& grid, std::span<const float> weights) {
  std::vector<float> scales;
  if (!grid.given_scales) return scales;
  const auto group = static_cast<size_t>(grid.group);
  for (size_t begin = 0; begin < weights.size(); begin += group) {
    float most = 0;
    for (const float w : weights.subspan(begin, group)) most = std::max(most, std::abs(w));
    scales.push_back(StoredScale(grid, most / grid.codebook.back()));
  }
  return scales;
}

}  // namespace bitwright::worker
