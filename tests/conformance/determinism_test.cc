#include <gtest/gtest.h>

#include "tests/conformance/expected.h"
#include "workers/base/thread_pool.h"
#include "workers/kernels/gemm.h"
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

}  // namespace
}  // namespace bitwright::worker
