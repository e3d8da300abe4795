#include "workers/formats/float_packing.h"

#include <algorithm>
#include <cmath>

namespace bitwright::worker {
namespace {

// Codes above the codebook's zero, and below.
int MostSteps(FloatFormat format) {
  const int bits = SpecOf(format).bits;
  return bits == 8 ? 126 : (1 << (bits - 1)) - 1;
}

}  // namespace

void PackFloats(FloatFormat format, std::span<const uint8_t> codes, std::span<uint8_t> bytes) {
  const int bits = SpecOf(format).bits, zero = MostSteps(format);
  std::fill(bytes.begin(), bytes.end(), uint8_t{0});
  for (size_t i = 0; i < codes.size(); ++i) {
    const int steps = codes[i] - zero;
    const auto element = static_cast<uint32_t>(std::abs(steps) | (steps < 0 ? 1 << (bits - 1) : 0));
    const size_t at = i * static_cast<size_t>(bits);
    const uint32_t shifted = element << (at % 8);
    bytes[at / 8] = static_cast<uint8_t>(bytes[at / 8] | (shifted & 0xff));
    if (shifted > 0xff) bytes[at / 8 + 1] = static_cast<uint8_t>(bytes[at / 8 + 1] | (shifted >> 8));
  }
}

void UnpackFloats(FloatFormat format, std::span<const uint8_t> bytes, std::span<uint8_t> codes) {
  const int bits = SpecOf(format).bits, zero = MostSteps(format), sign = 1 << (bits - 1);
  for (size_t i = 0; i < codes.size(); ++i) {
    const size_t at = i * static_cast<size_t>(bits);
    uint32_t window = bytes[at / 8];
    if (at / 8 + 1 < bytes.size()) window |= static_cast<uint32_t>(bytes[at / 8 + 1]) << 8;
    const int element = static_cast<int>(window >> (at % 8)) & ((1 << bits) - 1);
    const int steps = std::min(element & (sign - 1), zero);
    codes[i] = static_cast<uint8_t>((element & sign) != 0 ? zero - steps : zero + steps);
  }
}

uint8_t E8M0OfExact(float power) { return static_cast<uint8_t>(std::ilogb(power) + 127); }

float E8M0ToFloat(uint8_t bits) { return std::ldexp(1.0f, bits - 127); }

}  // namespace bitwright::worker
