#include "workers/kernels/cpu/logit_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace bitwright::worker {
namespace {

// One half of SumPair.
double SumExp(const float* x, int64_t n, float maximum) { return SumPair(x, maximum, x, maximum, n).base; }

TEST(LogitRowsTest, ExponentialIsExactToAFewUnitsOfTheLastPlace) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-700, 0);
  for (int i = 0; i < 200000; ++i) {
    const float x = i % 2 == 0 ? uniform(random) : uniform(random) / 100;
    const double expected = std::exp(static_cast<double>(x));
    ASSERT_NEAR(SumExp(&x, 1, 0), expected, 1e-15 * expected) << x;
  }
  const float zero = 0;
  EXPECT_EQ(SumExp(&zero, 1, 0), 1.0);
}

TEST(LogitRowsTest, EverythingFarBelowVanishes) {
  const std::vector<float> x = {0, -1e30f, -5000, -750};
  EXPECT_EQ(SumExp(x.data(), 4, 0), 1.0);
}

TEST(LogitRowsTest, SumsOfAnyLengthAgreeWithTheDefinition) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0, 4);
  for (const int64_t n : {1, 2, 15, 16, 17, 33, 1000}) {
    std::vector<float> b(n), q(n);
    for (int64_t i = 0; i < n; ++i) {
      b[i] = normal(random);
      q[i] = b[i] + 0.01f * normal(random);
    }
    const float top_b = FindMaximum(b.data(), n).value, top_q = FindMaximum(q.data(), n).value;
    double sum_b = 0, sum_q = 0, difference = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double x = double{b[i]} - top_b, y = double{q[i]} - top_q;
      sum_b += std::exp(x);
      sum_q += std::exp(y);
      difference += std::exp(x) * (x - y);
    }
    const PairSums sums = SumPair(b.data(), top_b, q.data(), top_q, n);
    EXPECT_NEAR(sums.base, sum_b, 1e-14 * sum_b);
    EXPECT_NEAR(sums.quantized, sum_q, 1e-14 * sum_q);
    EXPECT_NEAR(sums.difference, difference, 1e-14 * sum_b);
    EXPECT_NEAR(SumExp(b.data(), n, top_b), sum_b, 1e-14 * sum_b);
  }
}

TEST(LogitRowsTest, FirstOfEqualMaximaWins) {
  std::vector<float> x(5000, -1.0f);
  x[3000] = x[1500] = x[1501] = 2.0f;
  EXPECT_EQ(FindMaximum(x.data(), 5000).index, 1500);
  EXPECT_EQ(FindMaximum(x.data(), 5000).value, 2.0f);
  EXPECT_EQ(FindMaximum(x.data(), 7).index, 0);
}

}  // namespace
}  // namespace bitwright::worker
