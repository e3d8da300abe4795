#include "workers/tensor/stored_float.h"

#include <gtest/gtest.h>

#include <random>

namespace bitwright::worker {
namespace {

TEST(StoredFloatTest, EqualsTheConversionsThereAndBack) {
  std::mt19937 random(1);
  std::uniform_int_distribution<uint32_t> any;
  for (int i = 0; i < 2'000'000; ++i) {
    const float value = std::bit_cast<float>(any(random));
    if (!std::isfinite(value)) continue;
    ASSERT_EQ(RoundToBf16(value), Bf16ToFloat(FloatToBf16(value))) << value;
    ASSERT_EQ(RoundToF16(value), F16ToFloat(FloatToF16(value))) << value;
  }
}

TEST(StoredFloatTest, KeepsEveryHalf) {
  for (uint32_t bits = 0; bits < 0x7c00u; ++bits) {
    const float value = F16ToFloat(static_cast<uint16_t>(bits));
    ASSERT_EQ(RoundToF16(value), value);
    ASSERT_EQ(RoundToF16(-value), -value);
  }
}

}  // namespace
}  // namespace bitwright::worker
