#include "workers/kernels/reference/grid_rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/conformance/rounding_problem.h"
#include "tests/conformance/sample_grids.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kSuper = 128;

class GridRoundingTest : public RoundingProblemTest {
 protected:
  GridRounding Rounded(const Grid& grid, GridSteps steps, bool both_sides = false) const {
    const std::vector<float> weights(weights_.begin(), weights_.end()), scales = GivenScales(grid, weights);
    steps.scales = scales;
    return RoundOnGrid(Problem(both_sides), grid, steps);
  }
};

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
  for (const auto& [name, grid] : SampleGrids(kSuper)) {
    for (const bool both : {false, true}) {
      SCOPED_TRACE(name + (both ? ", both sides" : ""));
      const GridProblem problem = Problem(both);
      const GridRounding rounded = Rounded(grid, {true, 3, true, 2}, both);
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
  const Grid grid = SampleGrids(kSuper)[4].grid;
  const GridProblem problem = Problem(true);
  GridRounding rounded = Rounded(grid, {true, 60}, true);
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
  for (const auto& [name, grid] : SampleGrids(kSuper)) {
    const GridRounding rounded = Rounded(grid, {true, 0});
    EXPECT_EQ(rounded.codes.codes, Rounded(grid, {false, 0}).codes.codes) << name;
  }
}

TEST_F(GridRoundingTest, StoresWhatTheGridCanStore) {
  for (const auto& [name, grid] : SampleGrids(kSuper)) {
    const GridCodes codes = Rounded(grid, {true, 2, true, 1}).codes;
    for (const float scale : codes.scales) {
      EXPECT_EQ(scale, StoredScale(grid, scale)) << name;
      EXPECT_TRUE(grid.negative_scales || scale >= 0) << name;
    }
    for (const float minimum : codes.minima) EXPECT_EQ(minimum, StoredScale(grid, minimum)) << name;
    for (const int k : codes.sub_scales) EXPECT_TRUE(k >= grid.least_scale && k <= grid.most_scale) << name << k;
    for (const int n : codes.sub_minima) EXPECT_LE(n, grid.most_minimum) << name;
    for (const int zero : codes.zeros) EXPECT_TRUE(zero >= grid.codebook.front() && zero <= grid.codebook.back());
    for (const int code : codes.codes) EXPECT_LT(code, std::ssize(grid.codebook)) << name;
  }
}

// What FP8 E4M3 and FP6 E2M3 can hold (OCP Microscaling Formats 1.0, 5.3).
TEST(SmallFloatsTest, AreAllNumbersOfTheType) {
  const std::vector<float> e4m3 = SmallFloats(3, -6, 448), e2m3 = SmallFloats(3, 0, 7.5);
  ASSERT_EQ(e4m3.size(), 253u);
  EXPECT_EQ(e4m3[126], 0);
  EXPECT_EQ(e4m3[127], 0x1p-9f);
  EXPECT_EQ(e4m3[134], 0x1p-6f);
  EXPECT_EQ(e4m3[135], 0x1.2p-6f);
  EXPECT_EQ(e4m3[251], 416);
  EXPECT_EQ(e4m3.front(), -448);
  ASSERT_EQ(e2m3.size(), 63u);
  EXPECT_EQ(e2m3[32], 0.125);
  EXPECT_EQ(e2m3[61], 7);
  EXPECT_EQ(SmallFloats(1, 0, 6), (std::vector<float>{-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6}));
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
