#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace bitwright::worker {

// Sizes around the widths of all vector sets (4, 8 and 16 floats), and typical ones.
inline const std::vector<int64_t> kSizes = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 257, 576};

inline std::vector<float> RandomFloats(int64_t count, uint32_t seed, float scale = 1) {
  std::mt19937 random(seed);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = scale * (static_cast<float>(random() % 20001) / 10000 - 1);
  return values;
}

// |got − expected| ≤ relative · |expected| + absolute; NaN equals nothing, infinity itself.
inline void ExpectClose(float got, double expected, double relative, double absolute, int64_t at) {
  if (got == expected) return;
  EXPECT_LE(std::fabs(got - expected), relative * std::fabs(expected) + absolute)
      << "element " << at << ": got " << got << ", expected " << expected;
}

}  // namespace bitwright::worker
