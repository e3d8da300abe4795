#include "workers/tensor/float16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

TEST(Float16, AgreesWithTheCompilersConversion) {
  for (uint32_t i = 0; i < 2000000; ++i) {
    const uint32_t bits = i * 2147u;
    const float value = std::bit_cast<float>(bits);
    if (std::isnan(value)) continue;
    const auto expected = std::bit_cast<uint16_t>(static_cast<_Float16>(value));
    ASSERT_EQ(FloatToF16(value), expected) << value;
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
