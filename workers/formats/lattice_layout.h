#pragma once

#include <cstdint>

#include "workers/formats/block_type.h"

// Where the bits of a lattice type's block stand, as block_layout.h does it for types on grids. A block is 16 bits of
// super-scale, and then runs of bits, of which the first of a byte is the lowest (ggml-org/ggml, src/ggml-common.h,
// block_iq2_xxs and the four after it).
namespace bitwright::worker {

// A block's numbers as unsigned fields.
struct LatticeFields {
  uint16_t scale = 0;        // f16
  uint16_t points[64] = {};  // of eight values each: the first 32
  uint16_t signs[32] = {};   // 7 or 8 bits
  uint16_t sub_scales[16] = {};
};

// bits.Run(at, width, value, from): `width` bits from bit `at` of the block on are bits [from, from + width) of value.

// IQ2_XXS and IQ3_XXS: after all points (of IQ3_XXS; of IQ2_XXS after the four of the same group) one word of 32 bits
// for a group of 32 values: four times 7 bits of signs, and the scale.
template <typename Bits>
void SignsAndScale(Bits& bits, int64_t at, int group, LatticeFields& f) {
  for (int k = 0; k < 4; ++k) bits.Run(at + 7 * k, 7, f.signs[4 * group + k], 0);
  bits.Run(at + 28, 4, f.sub_scales[group], 0);
}

template <typename Bits>
void LayOutIq2Xxs(Bits& bits, LatticeFields& f) {
  for (int g = 0; g < 8; ++g) {
    for (int k = 0; k < 4; ++k) bits.Run(16 + 64 * g + 8 * k, 8, f.points[4 * g + k], 0);
    SignsAndScale(bits, 16 + 64 * g + 32, g, f);
  }
}

template <typename Bits>
void LayOutIq2Xs(Bits& bits, LatticeFields& f) {
  for (int i = 0; i < 32; ++i) {
    bits.Run(16 + 16 * i, 9, f.points[i], 0);
    bits.Run(16 + 16 * i + 9, 7, f.signs[i], 0);
  }
  for (int g = 0; g < 16; ++g) bits.Run(528 + 4 * g, 4, f.sub_scales[g], 0);
}

template <typename Bits>
void LayOutIq2S(Bits& bits, LatticeFields& f) {
  for (int i = 0; i < 32; ++i) {
    bits.Run(16 + 8 * i, 8, f.points[i], 0);
    bits.Run(272 + 8 * i, 8, f.signs[i], 0);
    bits.Run(528 + 2 * i, 2, f.points[i], 8);
  }
  for (int g = 0; g < 16; ++g) bits.Run(592 + 4 * g, 4, f.sub_scales[g], 0);
}

template <typename Bits>
void LayOutIq3Xxs(Bits& bits, LatticeFields& f) {
  for (int i = 0; i < 64; ++i) bits.Run(16 + 8 * i, 8, f.points[i], 0);
  for (int g = 0; g < 8; ++g) SignsAndScale(bits, 528 + 32 * g, g, f);
}

template <typename Bits>
void LayOutIq3S(Bits& bits, LatticeFields& f) {
  for (int i = 0; i < 64; ++i) {
    bits.Run(16 + 8 * i, 8, f.points[i], 0);
    bits.Run(528 + i, 1, f.points[i], 8);
  }
  for (int i = 0; i < 32; ++i) bits.Run(592 + 8 * i, 8, f.signs[i], 0);
  for (int g = 0; g < 8; ++g) bits.Run(848 + 4 * g, 4, f.sub_scales[g], 0);
}

template <typename Bits>
void LayOut(BlockType type, Bits& bits, LatticeFields& f) {
  bits.Run(0, 16, f.scale, 0);
  switch (type) {
    case BlockType::kIQ2_XXS:
      return LayOutIq2Xxs(bits, f);
    case BlockType::kIQ2_XS:
      return LayOutIq2Xs(bits, f);
    case BlockType::kIQ2_S:
      return LayOutIq2S(bits, f);
    case BlockType::kIQ3_XXS:
      return LayOutIq3Xxs(bits, f);
    default:
      return LayOutIq3S(bits, f);
  }
}

}  // namespace bitwright::worker
