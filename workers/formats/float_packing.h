#pragma once

#include <cstdint>
#include <span>

#include "workers/formats/float_format.h"

namespace bitwright::worker {

// Elements of a row as compressed-tensors 0.20 stores them: sign and magnitude, in as many bits as the element has, one
// dense stream, lowest bit first (two of 4 bits in a byte, four of 6 bits in three). `codes` are indices into the
// codebook of GridOf; −0 comes back as 0. `bytes` holds in · bits / 8 of them. Every pattern of bits unpacks: NaN of
// E4M3 as the largest number. Thread-safe.
void PackFloats(FloatFormat format, std::span<const uint8_t> codes, std::span<uint8_t> bytes);
void UnpackFloats(FloatFormat format, std::span<const uint8_t> bytes, std::span<uint8_t> codes);

// One of them: a code as sign and magnitude in so many bits, and back.
uint8_t ElementOf(int bits, uint8_t code);
uint8_t CodeOfElement(int bits, uint8_t element);

// A power of two as E8M0 stores it: its exponent + 127. Byte 255 is infinity, being beyond f32.
uint8_t E8M0OfExact(float power);
float E8M0ToFloat(uint8_t bits);

}  // namespace bitwright::worker
