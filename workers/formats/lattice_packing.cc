#include "workers/formats/lattice_packing.h"

#include <algorithm>
#include <bit>

#include "proto/base/log.h"
#include "workers/formats/lattice_layout.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

struct BitWriter {
  uint8_t* bytes;
  void Run(int64_t at, int width, uint16_t value, int from) {
    uint32_t rest = (static_cast<uint32_t>(value) >> from & ((1u << width) - 1)) << (at % 8);
    for (uint8_t* byte = bytes + at / 8; rest != 0; rest >>= 8, ++byte) *byte = static_cast<uint8_t>(*byte | rest);
  }
};

struct BitReader {
  const uint8_t* bytes;
  void Run(int64_t at, int width, uint16_t& value, int from) {
    const int64_t last = (at + width - 1) / 8;
    uint32_t found = 0;
    for (int64_t byte = last; byte >= at / 8; --byte) found = found << 8 | bytes[byte];
    value = static_cast<uint16_t>(value | (found >> (at % 8) & ((1u << width) - 1)) << from);
  }
};

// The eighth bit makes the number of minuses even.
uint8_t Completed(uint16_t seven) { return static_cast<uint8_t>(seven | (std::popcount(seven) % 2 != 0 ? 0x80 : 0)); }

// The part of a row that block b holds.
LatticeRow PartOf(const LatticeRow& row, int64_t blocks, int64_t b) {
  const auto part = [&](auto values) {
    const size_t size = values.size() / static_cast<size_t>(blocks);
    return values.subspan(static_cast<size_t>(b) * size, size);
  };
  return {part(row.points), part(row.signs), part(row.scales), part(row.sub_scales)};
}

void PackBlock(BlockType type, const LatticeRow& part, uint8_t* block) {
  LatticeFields fields;
  fields.scale = FloatToF16(part.scales[0]);
  std::ranges::copy(part.points, fields.points);
  std::ranges::copy(part.signs, fields.signs);
  std::ranges::copy(part.sub_scales, fields.sub_scales);
  BitWriter bits{block};
  LayOut(type, bits, fields);
}

void UnpackBlock(BlockType type, const uint8_t* block, const LatticeRow& part) {
  LatticeFields fields;
  BitReader bits{block};
  LayOut(type, bits, fields);
  part.scales[0] = F16ToFloat(fields.scale);
  std::copy_n(fields.points, part.points.size(), part.points.begin());
  const bool even = LatticeOf(type).even_signs;
  for (size_t i = 0; i < part.signs.size(); ++i) {
    part.signs[i] = even ? Completed(fields.signs[i]) : static_cast<uint8_t>(fields.signs[i]);
  }
  for (size_t g = 0; g < part.sub_scales.size(); ++g) part.sub_scales[g] = static_cast<uint8_t>(fields.sub_scales[g]);
}

// Of a row; CHECKs that it and its blocks agree.
int64_t BlocksOf(const BlockSpec& spec, const LatticeRow& row, size_t bytes) {
  const auto columns = static_cast<int64_t>(row.signs.size()) * Lattice::kSigns;
  CHECK(spec.Fits(columns) && static_cast<int64_t>(bytes) == spec.RowBytes(columns)) << spec.name << columns;
  return columns / spec.values;
}

}  // namespace

LatticeRow RowOf(LatticeCodes& codes, const Lattice& lattice, int64_t columns, int64_t row) {
  const auto part = [row](auto& values, int64_t count) {
    return std::span(values).subspan(static_cast<size_t>(row * count), static_cast<size_t>(count));
  };
  return {part(codes.points, columns / lattice.size), part(codes.signs, columns / Lattice::kSigns),
          part(codes.scales, lattice.supers(columns)), part(codes.sub_scales, lattice.groups(columns))};
}

void PackBlocks(BlockType type, const LatticeRow& row, std::span<uint8_t> blocks) {
  const BlockSpec& spec = SpecOf(type);
  const int64_t count = BlocksOf(spec, row, blocks.size());
  std::ranges::fill(blocks, uint8_t{0});
  for (int64_t b = 0; b < count; ++b) PackBlock(type, PartOf(row, count, b), blocks.data() + b * spec.bytes);
}

void UnpackBlocks(BlockType type, std::span<const uint8_t> blocks, const LatticeRow& row) {
  const BlockSpec& spec = SpecOf(type);
  const int64_t count = BlocksOf(spec, row, blocks.size());
  for (int64_t b = 0; b < count; ++b) UnpackBlock(type, blocks.data() + b * spec.bytes, PartOf(row, count, b));
}

}  // namespace bitwright::worker
