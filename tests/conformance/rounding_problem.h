#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "workers/kernels/reference/grid_rounding.h"

namespace bitwright::worker {

// Positive definite, with neighbours that go together and a few large ones.
inline std::vector<double> SampleMoment(int64_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> a(static_cast<size_t>(n * n));
  for (int64_t s = 0; s < 3 * n; ++s) {
    std::vector<double> x;
    double carried = 0;
    for (int64_t j = 0; j < n; ++j) {
      carried = 0.7 * carried + normal(random);
      x.push_back(carried * (j % 11 == 0 ? 5 : 1));
    }
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) a[static_cast<size_t>(i * n + j)] += x[i] * x[j] / static_cast<double>(3 * n);
    }
  }
  double mean = 0;
  for (int64_t j = 0; j < n; ++j) mean += a[static_cast<size_t>(j * n + j)] / static_cast<double>(n);
  for (int64_t j = 0; j < n; ++j) a[static_cast<size_t>(j * n + j)] += 0.01 * mean;
  return a;
}

// A matrix to be rounded, on whatever, with a moment on each side.
class RoundingProblemTest : public testing::Test {
 protected:
  static constexpr int64_t kRows = 6, kColumns = 256;

  RoundingProblemTest() : moment_(SampleMoment(kColumns, 5)), gradients_(SampleMoment(kRows, 6)) {
    std::mt19937 random(7);
    std::normal_distribution<double> normal;
    for (int64_t i = 0; i < kRows * kColumns; ++i) {
      weights_.push_back(i / kColumns == 2 ? std::abs(normal(random)) : 0.05 * normal(random));  // a row of one sign
    }
    std::fill_n(weights_.begin() + kColumns, 128, 0.0);  // groups of zeros, and a super-block
  }

  GridProblem Problem(bool both_sides) const {
    return {kRows, kColumns, weights_, moment_, both_sides ? std::span<const double>(gradients_) : std::span<double>(),
            {}};
  }

  std::vector<double> weights_, moment_, gradients_;
};

}  // namespace bitwright::worker
