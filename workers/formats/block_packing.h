#pragma once

#include <cstdint>
#include <span>

#include "workers/formats/block_type.h"
#include "workers/kernels/grid.h"

namespace bitwright::worker {

// One row of GridCodes for a block type: as many elements as GridOf(type) gives a row.
struct BlockRow {
  std::span<uint8_t> codes;
  std::span<float> scales;
  std::span<float> minima;  // empty where the grid has none, as all below
  std::span<int8_t> sub_scales;
  std::span<uint8_t> sub_minima;
};
// Row `row` of codes [rows, columns].
BlockRow RowOf(GridCodes& codes, const Grid& grid, int64_t columns, int64_t row);

// Blocks of a row, and back. `blocks` has RowBytes of the row's columns. Every pattern of bits unpacks; what a grid
// does not have comes back as what it stands for (MXFP4's −0 as 0), so that packing again may give other bytes of equal
// value. MXFP4's largest scale, 2^128, comes back as infinity: DecodeBlocks has the values of such a block. A scale or
// minimum that is not a number is packed as another one. Thread-safe.
void PackBlocks(BlockType type, const BlockRow& row, std::span<uint8_t> blocks);
void UnpackBlocks(BlockType type, std::span<const uint8_t> blocks, const BlockRow& row);

}  // namespace bitwright::worker
