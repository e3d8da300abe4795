#include "workers/formats/float_packing.h"

#include <algorithm>
#include <cmath>

namespace bitwright::worker {
namespace {

// Codes above the codebook's zero, and below.
int MostSteps(int bits) { return bits == 8 ? 126 : (1 << (bits - 1)) - 1; }

}  // namespace

uint8_t ElementOf(int bits, uint8_t code) {
  const int steps = code - MostSteps(bits);
  return static_cast<uint8_t>(std::abs(steps) | (steps < 0 ? 1 << (bits - 1) : 0));
}

uint8_t CodeOfElement(int bits, uint8_t element) {
  const int zero = MostSteps(bits), sign = 1 << (bits - 1), steps = std::min(element & (sign - 1), zero);
  return static_cast<uint8_t>((element & sign) != 0 ? zero - steps : zero + steps);
}

void PackFloats(FloatFormat format, std::span<const uint8_t> codes, std::span<uint8_t> bytes) {
  const int bits = SpecOf(format).bits;
  uint32_t window = 0;  // bits that have not been written yet
  int held = 0;
  size_t at = 0;
  for (const uint8_t code : codes) {
    window |= static_cast<uint32_t>(ElementOf(bits, code)) << held;
    for (held += bits; held >= 8; held -= 8) {
      bytes[at++] = static_cast<uint8_t>(window);
      window >>= 8;
    }
  }
}

void UnpackFloats(FloatFormat format, std::span<const uint8_t> bytes, std::span<uint8_t> codes) {
  const int bits = SpecOf(format).bits;
  uint32_t window = 0;  // bits that have not been used yet
  int held = 0;
  size_t at = 0;
  for (uint8_t& code : codes) {
    for (; held < bits; held += 8) window |= static_cast<uint32_t>(bytes[at++]) << held;
    code = CodeOfElement(bits, static_cast<uint8_t>(window & ((1u << bits) - 1)));
    window >>= bits;
    held -= bits;
  }
}

uint8_t E8M0OfExact(float power) {
  // ilogb of infinity is INT_MAX.
  return static_cast<uint8_t>(std::clamp(std::ilogb(power), -127, 128) + 127);
}

float E8M0ToFloat(uint8_t bits) { return std::ldexp(1.0f, bits - 127); }

}  // namespace bitwright::worker
