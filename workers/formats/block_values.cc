#include "workers/formats/block_values.h"

#include <cmath>

#include "proto/base/log.h"
#include "workers/formats/block_packing.h"

namespace bitwright::worker {
namespace {

// Of 256 values at most, in groups of 16 at least.
struct OneBlock {
  uint8_t codes[256];
  float scale[1];
  float minimum[1];
  int8_t sub_scales[16];
  uint8_t sub_minima[16];

  BlockRow RowOf(const Grid& grid, int64_t columns) {
    const auto values = static_cast<size_t>(columns);
    const size_t groups = grid.two_levels() ? static_cast<size_t>(grid.groups(columns)) : 0;
    const bool minima = grid.minima;
    return {
        {codes, values}, scale, {minimum, minima ? 1u : 0u}, {sub_scales, groups}, {sub_minima, minima ? groups : 0}};
  }
};

// The largest exponent's scale, 2^128, is beyond f32 although products with its small codes are not. So, as in ggml,
// numbers are doubled and the scale is halved.
void DecodeDoubled(const Grid& grid, int exponent, const OneBlock& block, std::span<float> values) {
  const float half = std::ldexp(1.0f, exponent - 128);
  for (size_t i = 0; i < values.size(); ++i) values[i] = 2 * grid.codebook[block.codes[i]] * half;
}

void DecodeGroups(const Grid& grid, const OneBlock& block, std::span<float> values) {
  const auto group = static_cast<size_t>(grid.group);
  for (size_t j = 0; j * group < values.size(); ++j) {
    const float scale = grid.two_levels() ? block.scale[0] * block.sub_scales[j] : block.scale[0];
    float minimum = grid.minima ? block.minimum[0] : 0;
    if (grid.minima && grid.two_levels()) minimum *= block.sub_minima[j];
    for (size_t i = j * group; i < (j + 1) * group; ++i) values[i] = grid.codebook[block.codes[i]] * scale - minimum;
  }
}

}  // namespace

void DecodeBlocks(BlockType type, std::span<const uint8_t> blocks, std::span<float> values) {
  const BlockSpec& spec = SpecOf(type);
  const Grid& grid = GridOf(type);
  const auto columns = static_cast<int64_t>(values.size());
  CHECK(spec.Fits(columns) && static_cast<int64_t>(blocks.size()) == spec.RowBytes(columns)) << spec.name << columns;
  const auto size = static_cast<size_t>(spec.values), bytes = static_cast<size_t>(spec.bytes);
  OneBlock block;
  const BlockRow row = block.RowOf(grid, spec.values);
  for (size_t b = 0; b < values.size() / size; ++b) {
    UnpackBlocks(type, blocks.subspan(b * bytes, bytes), row);
    const std::span<float> part = values.subspan(b * size, size);
    if (grid.scale_type == ScaleType::kE8M0) {
      DecodeDoubled(grid, blocks[b * bytes], block, part);
    } else {
      DecodeGroups(grid, block, part);
    }
  }
}

}  // namespace bitwright::worker
