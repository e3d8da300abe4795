#include "workers/formats/block_packing.h"

#include <algorithm>
#include <cmath>

#include "proto/base/log.h"
#include "workers/formats/block_layout.h"
#include "workers/formats/float_packing.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

struct BitWriter {
  uint8_t* bytes;
  void Run(int64_t byte, int shift, int width, uint8_t value, int from) {
    bytes[byte] = static_cast<uint8_t>(bytes[byte] | ((value >> from) & ((1 << width) - 1)) << shift);
  }
  void Word(int64_t byte, uint16_t value) {
    bytes[byte] = static_cast<uint8_t>(value & 0xff);
    bytes[byte + 1] = static_cast<uint8_t>(value >> 8);
  }
};

struct BitReader {
  const uint8_t* bytes;
  void Run(int64_t byte, int shift, int width, uint8_t& value, int from) {
    value = static_cast<uint8_t>(value | ((bytes[byte] >> shift) & ((1 << width) - 1)) << from);
  }
  void Word(int64_t byte, uint16_t& value) { value = static_cast<uint16_t>(bytes[byte] | bytes[byte + 1] << 8); }
};

// Codes count the codebook from its least value; fields are as ggml has them.
constexpr int kE2M1Bits = 4;

uint8_t FieldOf(BlockType type, uint8_t code) {
  if (type == BlockType::kQ8_0) return static_cast<uint8_t>(code ^ 0x80);  // two's complement
  if (type != BlockType::kMXFP4) return code;
  return ElementOf(kE2M1Bits, code);
}

uint8_t CodeOf(BlockType type, uint8_t field) {
  if (type == BlockType::kQ8_0) return static_cast<uint8_t>(field ^ 0x80);
  if (type != BlockType::kMXFP4) return field;
  return CodeOfElement(kE2M1Bits, field);
}

// What is added to a sub-scale before it is stored; Q6_K's are two's complement.
int BiasOf(BlockType type) { return type == BlockType::kQ3_K || type == BlockType::kIQ4_XS ? 32 : 0; }

// Q4_1 and Q5_1 add their minimum, where a grid subtracts it.
bool AddsMinimum(BlockType type) { return type == BlockType::kQ4_1 || type == BlockType::kQ5_1; }

// The part of a row that block b holds.
BlockRow PartOf(const BlockSpec& spec, const BlockRow& row, int64_t b) {
  const Grid& grid = GridOf(spec.type);
  const auto part = [b](auto values, int64_t count) {
    const auto size = static_cast<size_t>(values.empty() ? 0 : count);
    return values.subspan(static_cast<size_t>(b) * size, size);
  };
  return {part(row.codes, spec.values), part(row.scales, 1), part(row.minima, 1),
          part(row.sub_scales, grid.groups(spec.values)), part(row.sub_minima, grid.groups(spec.values))};
}

void PackBlock(BlockType type, const BlockRow& part, uint8_t* block) {
  BlockFields fields;
  for (size_t i = 0; i < part.codes.size(); ++i) fields.codes[i] = FieldOf(type, part.codes[i]);
  if (type == BlockType::kMXFP4) {
    fields.sub_scales[0] = E8M0OfExact(part.scales[0]);
  } else {
    fields.scale = FloatToF16(part.scales[0]);
  }
  for (size_t j = 0; j < part.sub_scales.size(); ++j) {
    fields.sub_scales[j] = static_cast<uint8_t>(part.sub_scales[j] + BiasOf(type));
  }
  if (!part.minima.empty()) fields.minimum = FloatToF16(AddsMinimum(type) ? -part.minima[0] : part.minima[0]);
  std::copy(part.sub_minima.begin(), part.sub_minima.end(), fields.sub_minima);
  BitWriter bits{block};
  LayOut(type, bits, fields);
}

void UnpackBlock(BlockType type, const uint8_t* block, const BlockRow& part) {
  BlockFields fields;
  BitReader bits{block};
  LayOut(type, bits, fields);
  for (size_t i = 0; i < part.codes.size(); ++i) part.codes[i] = CodeOf(type, fields.codes[i]);
  part.scales[0] = type == BlockType::kMXFP4 ? E8M0ToFloat(fields.sub_scales[0]) : F16ToFloat(fields.scale);
  for (size_t j = 0; j < part.sub_scales.size(); ++j) {
    part.sub_scales[j] = static_cast<int8_t>(fields.sub_scales[j] - BiasOf(type));
  }
  if (!part.minima.empty()) {
    const float minimum = F16ToFloat(fields.minimum);
    part.minima[0] = AddsMinimum(type) ? -minimum : minimum;
  }
  std::copy_n(fields.sub_minima, part.sub_minima.size(), part.sub_minima.begin());
}

}  // namespace

BlockRow RowOf(GridCodes& codes, const Grid& grid, int64_t columns, int64_t row) {
  const auto part = [row](auto& values, int64_t count) {
    return std::span(values).subspan(values.empty() ? 0 : static_cast<size_t>(row * count),
                                     values.empty() ? 0 : static_cast<size_t>(count));
  };
  const int64_t scales = grid.scales(columns), groups = grid.groups(columns);
  return {part(codes.codes, columns), part(codes.scales, scales), part(codes.minima, scales),
          part(codes.sub_scales, groups), part(codes.sub_minima, groups)};
}

void PackBlocks(BlockType type, const BlockRow& row, std::span<uint8_t> blocks) {
  const BlockSpec& spec = SpecOf(type);
  const auto columns = static_cast<int64_t>(row.codes.size());
  CHECK(spec.Fits(columns) && static_cast<int64_t>(blocks.size()) == spec.RowBytes(columns)) << spec.name << columns;
  std::fill(blocks.begin(), blocks.end(), uint8_t{0});
  for (int64_t b = 0; b < columns / spec.values; ++b) {
    PackBlock(type, PartOf(spec, row, b), blocks.data() + b * spec.bytes);
  }
}

void UnpackBlocks(BlockType type, std::span<const uint8_t> blocks, const BlockRow& row) {
  const BlockSpec& spec = SpecOf(type);
  const auto columns = static_cast<int64_t>(row.codes.size());
  CHECK(spec.Fits(columns) && static_cast<int64_t>(blocks.size()) == spec.RowBytes(columns)) << spec.name << columns;
  for (int64_t b = 0; b < columns / spec.values; ++b) {
    UnpackBlock(type, blocks.data() + b * spec.bytes, PartOf(spec, row, b));
  }
}

}  // namespace bitwright::worker
