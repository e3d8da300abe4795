#include "workers/quantize/factor.h"

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"
#include "tests/unit/workers/quantize/sample_linear.h"

namespace bitwright::worker {
namespace {

TEST(FactorTest, MultipliesBackToTheDampedMoment) {
  ThreadPool pool(2);
  for (const int64_t in : {1, 5, 64, 77, 130, 200}) {
    for (const bool act_order : {false, true}) {
      const SampleLinear sample(1, in, 2 * in + 2, 3);
      ASSERT_OK_AND_ASSIGN(const Factor f, BuildFactor(sample.packed, in, {.act_order = act_order}, pool));
      const auto m = [&](int64_t i, int64_t j) { return i == j ? 1.0 : i < j ? double{f.m[i * in + j]} : 0.0; };
      double largest = 0;
      for (const float d : f.diagonal) largest = std::max(largest, double{d});
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t j = i; j < in; ++j) {
          double product = 0;
          for (int64_t k = j; k < in; ++k) product += m(i, k) * f.d[k] * m(j, k);
          double expected = sample.moment[f.order[i] * in + f.order[j]];
          if (i == j) expected = f.diagonal[f.order[i]] + f.added;
          ASSERT_NEAR(product, expected, 1e-5 * largest) << in << ": " << i << ", " << j;
        }
      }
    }
  }
}

TEST(FactorTest, SameBitsOnAnyNumberOfThreads) {
  const SampleLinear sample(1, 300, 400, 4);
  ThreadPool one(1), three(3);
  ASSERT_OK_AND_ASSIGN(const Factor a, BuildFactor(sample.packed, 300, {}, one));
  ASSERT_OK_AND_ASSIGN(const Factor b, BuildFactor(sample.packed, 300, {}, three));
  EXPECT_EQ(a.d, b.d);
  for (int64_t i = 0; i < 300; ++i) {
    for (int64_t j = i + 1; j < 300; ++j) ASSERT_EQ(a.m[i * 300 + j], b.m[i * 300 + j]);
  }
}

TEST(FactorTest, ActOrderFallsAndKeepsTies) {
  std::vector<float> packed(static_cast<size_t>(PackedTriangleSize(4)));
  const float diagonal[] = {2, 3, 2, 3};
  for (int64_t j = 0; j < 4; ++j) packed[PackedTriangleIndex(4, j, j)] = diagonal[j];
  ThreadPool pool(1);
  ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(packed, 4, {.act_order = true}, pool));
  EXPECT_EQ(factor.order, (std::vector<int32_t>{1, 3, 0, 2}));
}

// Zeros that pad a model are no inputs: the same damping, and the same factor of the rest.
TEST(FactorTest, DeadInputsTakeNoPartInTheDamping) {
  ThreadPool pool(1);
  constexpr int64_t kLive = 96, kAll = 160;
  const SampleLinear sample(1, kLive, 200, 5);
  for (const bool small : {false, true}) {
    std::vector<float> live = sample.packed;
    for (float& value : live) value *= small ? 1e-4f : 1;
    std::vector<float> padded(static_cast<size_t>(PackedTriangleSize(kAll)));
    for (int64_t i = 0; i < kLive; ++i) {
      for (int64_t j = i; j < kLive; ++j) {
        padded[PackedTriangleIndex(kAll, i, j)] = live[PackedTriangleIndex(kLive, i, j)];
      }
    }
    for (const bool act_order : {false, true}) {
      ASSERT_OK_AND_ASSIGN(const Factor a, BuildFactor(live, kLive, {.act_order = act_order}, pool));
      ASSERT_OK_AND_ASSIGN(const Factor b, BuildFactor(padded, kAll, {.act_order = act_order}, pool));
      EXPECT_EQ(a.added, b.added);
      EXPECT_TRUE(std::equal(a.order.begin(), a.order.end(), b.order.begin())) << "dead ones come last";
      for (int64_t i = 0; i < kLive; ++i) {
        ASSERT_NEAR(a.d[i], b.d[i], 1e-6 * a.d[i]);
        for (int64_t j = i + 1; j < kLive; ++j) ASSERT_NEAR(a.m[i * kLive + j], b.m[i * kAll + j], 1e-5);
        for (int64_t j = kLive; j < kAll; ++j) ASSERT_EQ(b.m[i * kAll + j], 0);
      }
    }
  }
}

TEST(FactorTest, NothingButDeadInputs) {
  ThreadPool pool(1);
  const std::vector<float> zeros(static_cast<size_t>(PackedTriangleSize(3)));
  ASSERT_OK_AND_ASSIGN(const Factor factor, BuildFactor(zeros, 3, {}, pool));
  EXPECT_EQ(factor.dead, (std::vector<uint8_t>{1, 1, 1}));
  EXPECT_GT(factor.added, 0);
}

TEST(FactorTest, RefusesMomentsThatAreNone) {
  ThreadPool pool(1);
  std::vector<float> packed = {1, 0, 1};
  packed[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(BuildFactor(packed, 2, {}, pool), HasReason("MOMENT_NOT_FINITE"));
  EXPECT_THAT(BuildFactor(std::vector<float>{-1, 0, 1}, 2, {}, pool), HasReason("MOMENT_NOT_FINITE"));
  EXPECT_THAT(BuildFactor(std::vector<float>{1, 2, 1}, 2, {}, pool), HasReason("MOMENT_NOT_POSITIVE"));
  EXPECT_THAT(BuildFactor(std::vector<float>{1, 1, 1}, 2, {.damping = 0}, pool), HasReason("MOMENT_NOT_POSITIVE"));
}

}  // namespace
}  // namespace bitwright::worker
