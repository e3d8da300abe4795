#pragma once

#include <cstdint>
#include <span>

#include "workers/formats/block_type.h"
#include "workers/kernels/lattice.h"

namespace bitwright::worker {

// One row of LatticeCodes for a block type on a lattice.
struct LatticeRow {
  std::span<uint16_t> points;
  std::span<uint8_t> signs;
  std::span<float> scales;
  std::span<uint8_t> sub_scales;
};
// Row `row` of codes [rows, columns].
LatticeRow RowOf(LatticeCodes& codes, const Lattice& lattice, int64_t columns, int64_t row);

// Blocks of a row, and back, as in block_packing.h. Every pattern of bits unpacks, and packing gives it back but for
// a super-scale that is not a number. Where the type holds 7 bits of signs, the eighth is what they make it: packing
// does not look at it. Thread-safe.
void PackBlocks(BlockType type, const LatticeRow& row, std::span<uint8_t> blocks);
void UnpackBlocks(BlockType type, std::span<const uint8_t> blocks, const LatticeRow& row);

}  // namespace bitwright::worker
