#include "tests/conformance/elementwise_suite.h"
#include "tests/conformance/expected.h"
#include "workers/kernels/gemm.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

struct Shape {
  int64_t m, n, k;
};
const std::vector<Shape> kShapes = {{1, 1, 1},   {1, 5, 3},    {5, 1, 7},      {3, 4, 1}, {16, 16, 16}, {7, 9, 33},
                                    {17, 31, 5}, {64, 48, 65}, {33, 130, 129}, {3, 5, 0}, {5, 6, 300},  {2, 3, 2500}};

void CheckOneF32(const Shape& shape, bool trans_a, bool trans_b, int64_t gap, float alpha, float beta) {
  const auto [m, n, k] = shape;
  const int64_t lda = (trans_a ? m : k) + gap, ldb = (trans_b ? k : n) + gap, ldc = n + gap;
  const auto a = RandomFloats((trans_a ? k : m) * lda, 1), b = RandomFloats((trans_b ? n : k) * ldb, 2);
  const auto before = RandomFloats(m * ldc, 3);
  auto c = before;
  GemmF32(trans_a, trans_b, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < ldc; ++j) {
      const size_t at = static_cast<size_t>(i * ldc + j);
      if (j >= n) {
        EXPECT_EQ(c[at], before[at]) << "between the rows";
        continue;
      }
      double sum = 0;
      for (int64_t p = 0; p < k; ++p) {
        sum += double{a[static_cast<size_t>(trans_a ? p * lda + i : i * lda + p)]} *
               b[static_cast<size_t>(trans_b ? j * ldb + p : p * ldb + j)];
      }
      // Values are below 1: an error of k roundings of sums up to k.
      ExpectClose(c[at], alpha * sum + beta * double{before[at]}, 1e-6, 1e-7 * static_cast<double>(k + 2), i * ldc + j);
    }
  }
}

}  // namespace

void CheckGemmF32() {
  for (const Shape& shape : kShapes) {
    for (const int64_t gap : {0, 3}) {
      for (const bool trans_a : {false, true}) {
        for (const bool trans_b : {false, true}) {
          CheckOneF32(shape, trans_a, trans_b, gap, 1, 0);
          CheckOneF32(shape, trans_a, trans_b, gap, 1, 1);
          CheckOneF32(shape, trans_a, trans_b, gap, -0.5f, 0.25f);
        }
      }
    }
  }
  std::vector<float> c = {1, 2, 3};
  GemmF32(false, true, 0, 3, 2, 1, c.data(), 2, c.data(), 2, 0, c.data(), 3);
  GemmF32(false, true, 3, 0, 2, 1, c.data(), 2, c.data(), 2, 0, c.data(), 1);
  EXPECT_EQ(c, (std::vector<float>{1, 2, 3})) << "no rows, no columns: nothing is written";
  // With beta = 0 what stood in C does not matter, even NaN.
  std::vector<float> nan(4, std::nanf("")), one = {1, 0, 0, 1};
  GemmF32(false, false, 2, 2, 2, 1, one.data(), 2, one.data(), 2, 0, nan.data(), 2);
  EXPECT_EQ(nan, one);
}

void CheckGemmBf16() {
  for (const Shape& shape : kShapes) {
    for (const int64_t gap : {0, 3}) {
      const auto [m, n, k] = shape;
      const int64_t lda = k + gap, ldb = k + gap, ldc = n + gap;
      const auto wide_a = RandomFloats(m * lda, 1), wide_b = RandomFloats(n * ldb, 2);
      std::vector<uint16_t> a, b;
      for (const float v : wide_a) a.push_back(FloatToBf16(v));
      for (const float v : wide_b) b.push_back(FloatToBf16(v));
      std::vector<float> c(static_cast<size_t>(m * ldc), -7);
      GemmBf16(m, n, k, a.data(), lda, b.data(), ldb, c.data(), ldc);
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < n; ++j) {
          double sum = 0;
          for (int64_t p = 0; p < k; ++p) {
            sum += double{Bf16ToFloat(a[static_cast<size_t>(i * lda + p)])} *
                   Bf16ToFloat(b[static_cast<size_t>(j * ldb + p)]);
          }
          ExpectClose(c[static_cast<size_t>(i * ldc + j)], sum, 1e-6, 2e-7 * static_cast<double>(k + 2), i * ldc + j);
        }
        for (int64_t j = n; j < ldc; ++j) EXPECT_EQ(c[static_cast<size_t>(i * ldc + j)], -7) << "between the rows";
      }
    }
  }
}

}  // namespace bitwright::worker
