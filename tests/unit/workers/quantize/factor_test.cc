#include "workers/quantize/factor.h"

#include <cmath>
#include <limits>
#include <vector>

#include "proto/base/status_macros.h"
#include "tests/support/sample_linear.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"

namespace bitwright::worker {
namespace {

// The head, and M − I + D as a packed triangle.
struct Built {
  FactorHead head;
  std::vector<float> triangle;

  double D(int64_t j) const { return triangle[PackedTriangleIndex(head.inputs, j, j)]; }
  double M(int64_t i, int64_t j) const {
    return i == j ? 1.0 : i < j ? double{triangle[PackedTriangleIndex(head.inputs, i, j)]} : 0.0;
  }
};

absl::StatusOr<Built> Build(const std::vector<float>& moment, int64_t inputs, const FactorOptions& options = {},
                            int threads = 2) {
  ThreadPool pool(threads);
  const auto device = MakeCpuDevice(pool);
  Built built{{}, moment};
  ABSL_ASSIGN_OR_RETURN(built.head, BeginFactor(moment, inputs, options));
  ABSL_RETURN_IF_ERROR(FinishFactor(built.head, options.damping, *device, built.triangle));
  return built;
}

TEST(FactorTest, MultipliesBackToTheDampedMoment) {
  for (const int64_t in : {1, 5, 64, 77, 130, 200}) {
    for (const bool act_order : {false, true}) {
      const SampleLinear sample(1, in, 2 * in + 2, 3);
      ASSERT_OK_AND_ASSIGN(const Built f, Build(sample.packed, in, {.act_order = act_order}));
      const FactorHead& head = f.head;
      double largest = 0;
      for (const float d : head.diagonal) largest = std::max(largest, double{d});
      for (int64_t i = 0; i < in; ++i) {
        for (int64_t j = i; j < in; ++j) {
          double product = 0;
          for (int64_t k = j; k < in; ++k) product += f.M(i, k) * f.D(k) * f.M(j, k);
          double expected = sample.moment[head.order[i] * in + head.order[j]];
          if (i == j) expected = head.diagonal[head.order[i]] + head.added;
          ASSERT_NEAR(product, expected, 1e-5 * largest) << in << ": " << i << ", " << j;
        }
      }
    }
  }
}

TEST(FactorTest, SameBitsOnAnyNumberOfThreads) {
  const SampleLinear sample(1, 300, 400, 4);
  ASSERT_OK_AND_ASSIGN(const Built a, Build(sample.packed, 300, {}, 1));
  ASSERT_OK_AND_ASSIGN(const Built b, Build(sample.packed, 300, {}, 3));
  EXPECT_EQ(a.triangle, b.triangle);
}

TEST(FactorTest, ActOrderFallsAndKeepsTies) {
  std::vector<float> packed(static_cast<size_t>(PackedTriangleSize(4)));
  const float diagonal[] = {2, 3, 2, 3};
  for (int64_t j = 0; j < 4; ++j) packed[PackedTriangleIndex(4, j, j)] = diagonal[j];
  ASSERT_OK_AND_ASSIGN(const FactorHead head, BeginFactor(packed, 4, {.act_order = true}));
  EXPECT_EQ(head.order, (std::vector<int32_t>{1, 3, 0, 2}));
}

// Zeros that pad a model are no inputs: the same damping, and the same factor of the rest.
TEST(FactorTest, DeadInputsTakeNoPartInTheDamping) {
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
      ASSERT_OK_AND_ASSIGN(const Built a, Build(live, kLive, {.act_order = act_order}));
      ASSERT_OK_AND_ASSIGN(const Built b, Build(padded, kAll, {.act_order = act_order}));
      EXPECT_EQ(a.head.added, b.head.added);
      EXPECT_TRUE(std::equal(a.head.order.begin(), a.head.order.end(), b.head.order.begin())) << "dead ones come last";
      for (int64_t i = 0; i < kLive; ++i) {
        ASSERT_NEAR(a.D(i), b.D(i), 1e-6 * a.D(i));
        for (int64_t j = i + 1; j < kLive; ++j) ASSERT_NEAR(a.M(i, j), b.M(i, j), 1e-5);
        for (int64_t j = kLive; j < kAll; ++j) ASSERT_EQ(b.M(i, j), 0);
      }
    }
  }
}

TEST(FactorTest, NothingButDeadInputs) {
  const std::vector<float> zeros(static_cast<size_t>(PackedTriangleSize(3)));
  ASSERT_OK_AND_ASSIGN(const Built built, Build(zeros, 3));
  EXPECT_EQ(built.head.dead, (std::vector<uint8_t>{1, 1, 1}));
  EXPECT_GT(built.head.added, 0);
}

TEST(FactorTest, RefusesMomentsThatAreNone) {
  std::vector<float> packed = {1, 0, 1};
  packed[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Build(packed, 2), HasReason("MOMENT_NOT_FINITE"));
  EXPECT_THAT(Build({-1, 0, 1}, 2), HasReason("MOMENT_NOT_FINITE"));
  EXPECT_THAT(Build({1, 2, 1}, 2), HasReason("MOMENT_NOT_POSITIVE"));
  EXPECT_THAT(Build({1, 1, 1}, 2, {.damping = 0}), HasReason("MOMENT_NOT_POSITIVE"));
}

}  // namespace
}  // namespace bitwright::worker
