#include "workers/kernels/reference/grid_rounding.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

#include "tests/conformance/rounding_problem.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

template <int first, int count>
constexpr std::array<float, count> kIntegers = [] {
  std::array<float, count> values{};
  for (int i = 0; i < count; ++i) values[static_cast<size_t>(i)] = static_cast<float>(first + i);
  return values;
}();

constexpr float kUneven[] = {-12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12};

struct NamedGrid {
  const char* name;
  Grid grid;
};

// One of each kind that formats have.
const NamedGrid kGrids[] = {
    {"integers", {kIntegers<-4, 8>, 32, 0, 0, 0, 0, false, true, ScaleType::kBF16, DType::kBF16}},
    {"with minima", {kIntegers<0, 16>, 32, 0, 0, 0, 0, true, false, ScaleType::kF16, DType::kF32}},
    {"powers of two", {kUneven, 32, 0, 0, 0, 0, false, false, ScaleType::kE8M0, DType::kF32}},
    {"minifloat scales", {kUneven, 16, 0, 0, 0, 0, false, false, ScaleType::kE4M3, DType::kF32}},
    {"two levels", {kIntegers<-4, 8>, 16, 128, -32, 31, 0, false, true, ScaleType::kF16, DType::kF32}},
    {"two levels with minima", {kIntegers<0, 4>, 16, 128, 0, 15, 15, true, false, ScaleType::kF16, DType::kF32}},
};

using GridRoundingTest = RoundingProblemTest;

// Straight from the definition, beside R and what it is updated by.
double J(const GridProblem& p, const Grid& grid, const GridCodes& codes) {
  const std::vector<float> q = ValuesOf(codes, grid, p.rows, p.columns);
  double sum = 0;
  for (int64_t i = 0; i < p.rows; ++i) {
    for (int64_t k = 0; k < p.rows; ++k) {
      const double g = p.gradient_moment.empty() ? (i == k ? 1 : 0) : p.gradient_moment[i * p.rows + k];
      if (g == 0) continue;
      for (int64_t j = 0; j < p.columns; ++j) {
        double eh = 0;
        for (int64_t l = 0; l < p.columns; ++l) {
          eh += (p.weights[i * p.columns + l] - q[i * p.columns + l]) * p.moment[l * p.columns + j];
        }
        sum += g * eh * (p.weights[k * p.columns + j] - q[k * p.columns + j]);
      }
    }
  }
  return sum;
}

TEST_F(GridRoundingTest, NeverRaisesTheObjectiveAndStatesItTruly) {
  for (const auto& [name, grid] : kGrids) {
    for (const bool both : {false, true}) {
      SCOPED_TRACE(std::string(name) + (both ? ", both sides" : ""));
      const GridProblem problem = Problem(both);
      const GridRounding rounded = RoundOnGrid(problem, grid, {true, 3, true, 2});
      ASSERT_EQ(rounded.objective.size(), 8u);
      for (size_t k = 1; k < rounded.objective.size(); ++k) {
        EXPECT_LE(rounded.objective[k], rounded.objective[k - 1] * (1 + 1e-12)) << k;
      }
      EXPECT_NEAR(rounded.objective.back(), J(problem, grid, rounded.codes), 1e-9 * rounded.objective.front());
      EXPECT_LT(rounded.objective.back(), 0.9 * rounded.objective.front());
    }
  }
}

// A code that could be better while all others stand would be a fault of the sweep.
TEST_F(GridRoundingTest, SweepsEndWhereNoSingleCodeIsBetter) {
  const Grid& grid = kGrids[4].grid;
  const GridProblem problem = Problem(true);
  GridRounding rounded = RoundOnGrid(problem, grid, {true, 60});
  ASSERT_EQ(rounded.objective[60], rounded.objective[61]);
  const double least = J(problem, grid, rounded.codes);
  for (size_t at = 0; at < rounded.codes.codes.size(); at += 37) {
    const uint8_t held = rounded.codes.codes[at];
    for (int code = std::max(0, held - 1); code <= std::min(7, held + 1); ++code) {
      rounded.codes.codes[at] = static_cast<uint8_t>(code);
      EXPECT_GE(J(problem, grid, rounded.codes), least * (1 - 1e-12)) << at << " " << code;
    }
    rounded.codes.codes[at] = held;
  }
}

// With H and G diagonal nothing can make up for an error: feedback is rounding to the nearest.
TEST_F(GridRoundingTest, FeedsNothingBackThroughDiagonalMoments) {
  for (int64_t j = 0; j < kColumns * kColumns; ++j) {
    if (j % (kColumns + 1) != 0) moment_[static_cast<size_t>(j)] = 0;
  }
  const GridProblem problem = Problem(false);
  for (const auto& [name, grid] : kGrids) {
    const GridRounding rounded = RoundOnGrid(problem, grid, {true, 0});
    EXPECT_EQ(rounded.codes.codes, StartOnGrid(problem, grid).codes) << name;
  }
}

TEST_F(GridRoundingTest, StoresWhatTheGridCanStore) {
  for (const auto& [name, grid] : kGrids) {
    const GridCodes codes = RoundOnGrid(Problem(false), grid, {true, 2, true, 1}).codes;
    for (const float scale : codes.scales) {
      EXPECT_EQ(scale, StoredScale(grid.scale_type, scale)) << name;
      EXPECT_TRUE(grid.negative_scales || scale >= 0) << name;
    }
    for (const float minimum : codes.minima) EXPECT_EQ(minimum, StoredScale(grid.scale_type, minimum)) << name;
    for (const int k : codes.sub_scales) EXPECT_TRUE(k >= grid.least_scale && k <= grid.most_scale) << name << k;
    for (const int n : codes.sub_minima) EXPECT_LE(n, grid.most_minimum) << name;
    for (const int code : codes.codes) EXPECT_LT(code, std::ssize(grid.codebook)) << name;
  }
}

TEST(StoredScaleTest, IsTheNearestOfItsType) {
  EXPECT_EQ(StoredScale(ScaleType::kE8M0, 0.3), 0.25f);
  EXPECT_EQ(StoredScale(ScaleType::kE8M0, 0.0), 0x1p-127f);
  EXPECT_EQ(StoredScale(ScaleType::kE4M3, 1.07), 1.125f);
  EXPECT_EQ(StoredScale(ScaleType::kE4M3, 1.9999), 2.0f);
  EXPECT_EQ(StoredScale(ScaleType::kE4M3, 0x1p-9), 0x1p-9f);
  EXPECT_EQ(StoredScale(ScaleType::kE4M3, 0x1.8p-11), 0.0f);
  EXPECT_EQ(StoredScale(ScaleType::kE4M3, 1000.0), 448.0f);
  EXPECT_EQ(StoredScale(ScaleType::kF16, 1.00001), 1.0f);
  EXPECT_EQ(StoredScale(ScaleType::kBF16, -1.001), -1.0f);
}

}  // namespace
}  // namespace bitwright::worker
