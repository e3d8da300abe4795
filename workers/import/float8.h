#pragma once

#include <array>
#include <cstdint>
#include <limits>

namespace bitwright::worker {

// FP8 E4M3 (OCP 8-bit floating point, "fn"): sign, 4 bits of exponent with bias 7, 3 of mantissa; no infinities, and
// one NaN of each sign, 0x7f. Largest value 448, smallest 2^−9.
constexpr float E4m3ToFloat(uint8_t code) {
  const int exponent = (code >> 3) & 0xf, mantissa = code & 0x7;
  if (exponent == 0xf && mantissa == 0x7) return std::numeric_limits<float>::quiet_NaN();
  float value = static_cast<float>(exponent == 0 ? mantissa : 8 + mantissa);
  for (int e = exponent == 0 ? 1 : exponent; e < 10; ++e) value /= 2;
  for (int e = 10; e < exponent; ++e) value *= 2;
  return (code & 0x80) != 0 ? -value : value;
}
static_assert(E4m3ToFloat(0x7e) == 448 && E4m3ToFloat(0x01) == 0x1p-9f && E4m3ToFloat(0xb8) == -1);

inline constexpr auto kE4m3Values = [] {
  std::array<float, 256> values{};
  for (int code = 0; code < 256; ++code) values[static_cast<size_t>(code)] = E4m3ToFloat(static_cast<uint8_t>(code));
  return values;
}();

}  // namespace bitwright::worker
