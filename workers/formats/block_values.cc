#include "workers/formats/block_values.h"

#include <algorithm>
#include <cmath>

#include "proto/base/log.h"
#include "workers/formats/block_packing.h"
#include "workers/formats/lattice_packing.h"

namespace bitwright::worker {
namespace {

// The largest exponent's scale, 2^128, is beyond f32 although products with its small codes are not. So, as in ggml,
// numbers are doubled and the scale is halved.
void DecodeDoubled(const Grid& grid, int exponent, const GridCodes& block, std::span<float> values) {
  const float half = std::ldexp(1.0f, exponent - 128);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 2 * grid.codebook[block.codes[i]] * half;
}

void DecodeOnGrid(const BlockSpec& spec, std::span<const uint8_t> blocks, std::span<float> values) {
  const Grid& grid = GridOf(spec.type);
  const auto size = static_cast<size_t>(spec.values), bytes = static_cast<size_t>(spec.bytes);
  GridCodes block(grid, 1, spec.values);
  const BlockRow row = RowOf(block, grid, spec.values, 0);
  for (size_t b = 0; b < values.size() / size; ++b) {
    UnpackBlocks(spec.type, blocks.subspan(b * bytes, bytes), row);
    const std::span<float> part = values.subspan(b * size, size);
    if (grid.scale_type == ScaleType::kE8M0) {
      DecodeDoubled(grid, blocks[b * bytes], block, part);
    } else {
      std::ranges::copy(ValuesOf(block, grid, 1, spec.values), part.begin());
    }
  }
}

void DecodeOnLattice(const BlockSpec& spec, std::span<const uint8_t> blocks, std::span<float> values) {
  const Lattice& lattice = LatticeOf(spec.type);
  const auto columns = static_cast<int64_t>(values.size());
  LatticeCodes codes(lattice, 1, columns);
  UnpackBlocks(spec.type, blocks, RowOf(codes, lattice, columns, 0));
  std::ranges::copy(ValuesOf(codes, lattice, 1, columns), values.begin());
}

}  // namespace

void DecodeBlocks(BlockType type, std::span<const uint8_t> blocks, std::span<float> values) {
  const BlockSpec& spec = SpecOf(type);
  const auto columns = static_cast<int64_t>(values.size());
  CHECK(spec.Fits(columns) && static_cast<int64_t>(blocks.size()) == spec.RowBytes(columns)) << spec.name << columns;
  return OnLattice(type) ? DecodeOnLattice(spec, blocks, values) : DecodeOnGrid(spec, blocks, values);
}

}  // namespace bitwright::worker
