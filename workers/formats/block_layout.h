#pragma once

#include <cstdint>

#include "workers/formats/block_type.h"

// Where the bits of a block stand. One description of each layout serves packing and unpacking: `Bits` is called with
// each run of bits, and either writes or reads it.
namespace bitwright::worker {

// A block's numbers as unsigned fields.
struct BlockFields {
  uint8_t codes[256] = {};
  uint8_t sub_scales[16] = {};
  uint8_t sub_minima[16] = {};
  uint16_t scale = 0;    // f16; MXFP4: the exponent's byte
  uint16_t minimum = 0;  // f16
};

// bits.Run(byte, shift, width, value, from): `width` bits at bit `shift` of a byte are bits [from, from + width) of the
// value. bits.Word(byte, value): 16 bits, little endian.
template <typename Bits>
void Nibbles(Bits& bits, int64_t byte, uint8_t* codes) {
  for (int i = 0; i < 32; ++i) bits.Run(byte + i % 16, i / 16 * 4, 4, codes[i], 0);
}

template <typename Bits>
void FifthBits(Bits& bits, int64_t byte, uint8_t* codes) {
  for (int i = 0; i < 32; ++i) bits.Run(byte + i / 8, i % 8, 1, codes[i], 4);
}

// Low two bits of Q2_K and Q3_K: four values 32 apart share a byte.
template <typename Bits>
void Pairs(Bits& bits, int64_t byte, uint8_t* codes) {
  for (int i = 0; i < 256; ++i) bits.Run(byte + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2, codes[i], 0);
}

// Q4_K and Q5_K: two values 32 apart share a byte.
template <typename Bits>
void HalvesOf64(Bits& bits, int64_t byte, uint8_t* codes) {
  for (int i = 0; i < 256; ++i) bits.Run(byte + i / 64 * 32 + i % 32, i % 64 / 32 * 4, 4, codes[i], 0);
}

// Eight scales and eight minima of 6 bits in 12 bytes.
template <typename Bits>
void SixBitPairs(Bits& bits, int64_t byte, BlockFields& f) {
  for (int j = 0; j < 4; ++j) {
    bits.Run(byte + j, 0, 6, f.sub_scales[j], 0);
    bits.Run(byte + 4 + j, 0, 6, f.sub_minima[j], 0);
    bits.Run(byte + 8 + j, 0, 4, f.sub_scales[4 + j], 0);
    bits.Run(byte + j, 6, 2, f.sub_scales[4 + j], 4);
    bits.Run(byte + 8 + j, 4, 4, f.sub_minima[4 + j], 0);
    bits.Run(byte + 4 + j, 6, 2, f.sub_minima[4 + j], 4);
  }
}

template <typename Bits>
void LayOutSmall(BlockType type, Bits& bits, BlockFields& f) {
  if (type == BlockType::kMXFP4) {
    bits.Run(0, 0, 8, f.sub_scales[0], 0);
    return Nibbles(bits, 1, f.codes);
  }
  bits.Word(0, f.scale);
  const bool minimum = type == BlockType::kQ4_1 || type == BlockType::kQ5_1;
  const bool fifth = type == BlockType::kQ5_0 || type == BlockType::kQ5_1;
  const int64_t codes = minimum ? 4 : 2;
  if (minimum) bits.Word(2, f.minimum);
  if (type == BlockType::kQ8_0) {
    for (int i = 0; i < 32; ++i) bits.Run(codes + i, 0, 8, f.codes[i], 0);
    return;
  }
  if (fifth) FifthBits(bits, codes, f.codes);
  Nibbles(bits, codes + (fifth ? 4 : 0), f.codes);
}

template <typename Bits>
void LayOutQ2K(Bits& bits, BlockFields& f) {
  for (int j = 0; j < 16; ++j) {
    bits.Run(j, 0, 4, f.sub_scales[j], 0);
    bits.Run(j, 4, 4, f.sub_minima[j], 0);
  }
  Pairs(bits, 16, f.codes);
  bits.Word(80, f.scale);
  bits.Word(82, f.minimum);
}

template <typename Bits>
void LayOutQ3K(Bits& bits, BlockFields& f) {
  for (int i = 0; i < 256; ++i) bits.Run(i % 32, i / 32, 1, f.codes[i], 2);
  Pairs(bits, 32, f.codes);
  for (int j = 0; j < 16; ++j) {
    bits.Run(96 + j % 8, j / 8 * 4, 4, f.sub_scales[j], 0);
    bits.Run(104 + j % 4, j / 4 * 2, 2, f.sub_scales[j], 4);
  }
  bits.Word(108, f.scale);
}

template <typename Bits>
void LayOutQ45K(bool fifth, Bits& bits, BlockFields& f) {
  bits.Word(0, f.scale);
  bits.Word(2, f.minimum);
  SixBitPairs(bits, 4, f);
  for (int i = 0; fifth && i < 256; ++i) bits.Run(16 + i % 32, i / 32, 1, f.codes[i], 4);
  HalvesOf64(bits, fifth ? 48 : 16, f.codes);
}

template <typename Bits>
void LayOutQ6K(Bits& bits, BlockFields& f) {
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
    bits.Run(half * 64 + quarter % 2 * 32 + l, quarter / 2 * 4, 4, f.codes[i], 0);
    bits.Run(128 + half * 32 + l, quarter * 2, 2, f.codes[i], 4);
  }
  for (int j = 0; j < 16; ++j) bits.Run(192 + j, 0, 8, f.sub_scales[j], 0);
  bits.Word(208, f.scale);
}

template <typename Bits>
void LayOutIq4Xs(Bits& bits, BlockFields& f) {
  bits.Word(0, f.scale);
  for (int j = 0; j < 8; ++j) {
    bits.Run(4 + j / 2, j % 2 * 4, 4, f.sub_scales[j], 0);
    bits.Run(2 + j / 4, j % 4 * 2, 2, f.sub_scales[j], 4);
    Nibbles(bits, 8 + 16 * j, f.codes + 32 * j);
  }
}

template <typename Bits>
void LayOut(BlockType type, Bits& bits, BlockFields& f) {
  switch (type) {
    case BlockType::kQ2_K:
      return LayOutQ2K(bits, f);
    case BlockType::kQ3_K:
      return LayOutQ3K(bits, f);
    case BlockType::kQ4_K:
      return LayOutQ45K(false, bits, f);
    case BlockType::kQ5_K:
      return LayOutQ45K(true, bits, f);
    case BlockType::kQ6_K:
      return LayOutQ6K(bits, f);
    case BlockType::kIQ4_XS:
      return LayOutIq4Xs(bits, f);
    default:
      return LayOutSmall(type, bits, f);
  }
}

}  // namespace bitwright::worker
