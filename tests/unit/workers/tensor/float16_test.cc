#include "workers/tensor/float16.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "workers/tensor/tensor.h"

namespace bitwright::worker {
namespace {

TEST(Float16, EveryHalfRoundTrips) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float wide = F16ToFloat(static_cast<uint16_t>(bits));
    if (std::isnan(wide)) continue;
    EXPECT_EQ(FloatToF16(wide), bits);
  }
}

// The finite halves that are not negative, by the definition of IEEE 754: index = bits.
std::vector<double> Halves() {
  std::vector<double> halves;
  for (int bits = 0; bits < 0x7c00; ++bits) {
    const int exponent = bits >> 10;
    const int fraction = bits & 0x3ff;
    halves.push_back(exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
  }
  return halves;
}

// The nearest half, the even one of two equally near, infinity from half a step beyond the largest.
uint16_t NearestHalf(const std::vector<double>& halves, float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::fabs(static_cast<double>(value));
  if (magnitude >= 65520) return sign | 0x7c00;
  const auto above = std::upper_bound(halves.begin(), halves.end(), magnitude);
  const auto low = static_cast<uint16_t>(above - halves.begin() - 1);
  const double down = magnitude - halves[low];
  const double up = (above == halves.end() ? 65536.0 : *above) - magnitude;
  return sign | static_cast<uint16_t>(down < up || (down == up && low % 2 == 0) ? low : low + 1);
}

TEST(Float16, IsTheNearestHalf) {
  const std::vector<double> halves = Halves();
  for (uint32_t i = 0; i < 2000000; ++i) {
    const uint32_t bits = i * 2147u;
    const float value = std::bit_cast<float>(bits);
    if (std::isnan(value)) continue;
    ASSERT_EQ(FloatToF16(value), NearestHalf(halves, value)) << value;
  }
}

TEST(Float16, Bf16RoundsHalfToEven) {
  EXPECT_EQ(FloatToBf16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(FloatToBf16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(FloatToBf16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_TRUE(std::isnan(Bf16ToFloat(FloatToBf16(std::numeric_limits<float>::quiet_NaN()))));
}

TEST(Tensor, FirstNonFiniteFindsTheElement) {
  const float values[] = {1, -2, INFINITY, 3};
  const TensorView view{DType::kF32, {4}, std::as_bytes(std::span(values))};
  EXPECT_EQ(FirstNonFinite(view), 2);
  const uint16_t halves[] = {0x3c00, 0x7bff, 0x7e00};
  EXPECT_EQ(FirstNonFinite({DType::kF16, {3}, std::as_bytes(std::span(halves))}), 2);
  EXPECT_EQ(FirstNonFinite({DType::kBF16, {3}, std::as_bytes(std::span(halves))}), -1);
}

}  // namespace
}  // namespace bitwright::worker
