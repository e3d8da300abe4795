#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace bitwright::worker {

// FP8 E4M3 without infinities (OCP 8-bit Floating Point Specification 1.0, E4M3): sign, four bits of exponent with bias
// 7, three of fraction; 0x7f and 0xff are NaN, the largest is 448.
inline constexpr float kMostE4M3 = 448;

constexpr float E4M3ToFloat(uint8_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80u) << 24;
  const uint32_t exponent = (bits >> 3) & 0xfu, fraction = bits & 7u;
  if ((bits & 0x7fu) == 0x7fu) return std::bit_cast<float>(sign | 0x7fc00000u);
  if (exponent == 0)
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(fraction) * 0x1p-9f));
  return std::bit_cast<float>(sign | ((exponent + 120) << 23) | (fraction << 20));
}

// Of a number that is one of the type's, which is not checked.
constexpr uint8_t E4M3OfExact(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value), magnitude = bits & 0x7fffffffu;
  const uint32_t code = magnitude < 0x3c800000u  // 2^−6
                            ? static_cast<uint32_t>(std::bit_cast<float>(magnitude) * 512.0f)
                            : (magnitude >> 20) - (120u << 3);
  return static_cast<uint8_t>((bits >> 24 & 0x80u) | code);
}

// Of every code.
inline constexpr auto kE4M3Values = [] {
  std::array<float, 256> values{};
  for (int code = 0; code < 256; ++code) values[static_cast<size_t>(code)] = E4M3ToFloat(static_cast<uint8_t>(code));
  return values;
}();

static_assert(E4M3ToFloat(0x7e) == kMostE4M3 && E4M3OfExact(-kMostE4M3) == 0xfe);
static_assert(E4M3ToFloat(0x01) == 0x1p-9f && E4M3OfExact(0x1p-9f) == 1 && E4M3OfExact(0x1p-6f) == 8);

}  // namespace bitwright::worker
