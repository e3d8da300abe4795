#include <gtest/gtest.h>

#include <algorithm>

#include "tests/conformance/expected.h"
#include "tests/conformance/sample_lattices.h"
#include "tests/support/device_values.h"
#include "tests/support/sample_linear.h"
#include "workers/base/thread_pool.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/gemm.h"
#include "workers/kernels/rounding.h"
#include "workers/tensor/float16.h"

// Same shape and input, same bits: whichever thread computes it and however many run beside it.
namespace bitwright::worker {
namespace {

constexpr int64_t kM = 37, kN = 53, kK = 300, kPieces = 24;

std::vector<float> F32Pieces(int threads) {
  const auto a = RandomFloats(kM * kK, 1), b = RandomFloats(kN * kK, 2);
  std::vector<float> c(static_cast<size_t>(kPieces * kM * kN));
  ThreadPool pool(threads);
  pool.ParallelFor(kPieces, [&](int64_t piece, int) {
    GemmF32(false, true, kM, kN, kK, 1, a.data(), kK, b.data(), kK, 0, c.data() + piece * kM * kN, kN);
  });
  return c;
}

std::vector<float> Bf16Pieces(int threads) {
  std::vector<uint16_t> a, b;
  for (const float v : RandomFloats(kM * kK, 1)) a.push_back(FloatToBf16(v));
  for (const float v : RandomFloats(kN * kK, 2)) b.push_back(FloatToBf16(v));
  std::vector<float> c(static_cast<size_t>(kPieces * kM * kN));
  ThreadPool pool(threads);
  pool.ParallelFor(kPieces, [&](int64_t piece, int) {
    GemmBf16(kM, kN, kK, a.data(), kK, b.data(), kK, c.data() + piece * kM * kN, kN);
  });
  return c;
}

void ExpectAllPiecesEqual(const std::vector<float>& c) {
  for (size_t i = 0; i < c.size(); ++i) ASSERT_EQ(c[i], c[i % static_cast<size_t>(kM * kN)]) << "element " << i;
}

TEST(Determinism, GemmF32OverThreads) {
  const auto one = F32Pieces(1);
  ExpectAllPiecesEqual(one);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(F32Pieces(threads), one) << threads;
}

TEST(Determinism, GemmBf16OverThreads) {
  const auto one = Bf16Pieces(1);
  ExpectAllPiecesEqual(one);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(Bf16Pieces(threads), one) << threads;
}

// An odd number of pieces of 64 rows, and a factor in another order than the columns'.
TEST(Determinism, RoundingOnLatticesOverThreads) {
  const SampleLinear sample(150, 256, 600, 4);
  const auto round = [&](int threads) {
    ThreadPool pool(threads);
    const auto device = MakeCpuDevice(pool);
    FactorHead head{.inputs = sample.in, .act_order = true, .added = 0.02};
    for (int64_t j = 0; j < sample.in; ++j) {
      head.order.push_back(static_cast<int32_t>((j * 7 + 3) % sample.in));
      head.diagonal.push_back(std::max(sample.moment[static_cast<size_t>(j * (sample.in + 1))], 0.1f));
      head.dead.push_back(0);
    }
    std::vector<float> triangle = sample.packed;
    EXPECT_EQ(device->rounding().Factorize(head, triangle), std::nullopt);
    const auto factor = device->rounding().LoadFactor(head, [&](int64_t i, std::span<float> to) {
      std::copy_n(triangle.data() + PackedTriangleIndex(head.inputs, i, i), to.size(), to.data());
    });
    const DeviceMatrix weights = OnDevice(*device, sample.weights, sample.out);
    return device->rounding().RoundOnLattice(*factor, weights.view(), SampleLattices()[0], {true, 2, true, 1});
  };
  const LatticeRounded one = round(1);
  for (const int threads : {2, 3}) {
    const LatticeRounded many = round(threads);
    EXPECT_EQ(many.codes.points, one.codes.points);
    EXPECT_EQ(many.codes.signs, one.codes.signs);
    EXPECT_EQ(many.codes.scales, one.codes.scales);
    EXPECT_EQ(many.codes.sub_scales, one.codes.sub_scales);
    EXPECT_EQ(many.row_loss, one.row_loss);
  }
}

}  // namespace
}  // namespace bitwright::worker
