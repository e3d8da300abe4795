#include "workers/formats/block_values.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/checkpoint/ggml_types.h"
#include "workers/formats/block_packing.h"

namespace bitwright::worker {
namespace {

std::vector<uint32_t> Bits(const std::vector<float>& values) {
  std::vector<uint32_t> bits;
  for (const float value : values) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

// Row by row; not a bit may differ, so that −0 is not 0.
void CheckValues(BlockType type, const FixtureTensor& blocks, const FixtureTensor& values) {
  SCOPED_TRACE(std::string(SpecOf(type).name));
  const std::vector<uint8_t> bytes = blocks.As<uint8_t>();
  const auto row_bytes = static_cast<size_t>(blocks.shape[1]), columns = static_cast<size_t>(values.shape[1]);
  ASSERT_EQ(static_cast<int64_t>(row_bytes), SpecOf(type).RowBytes(values.shape[1]));
  std::vector<float> got(static_cast<size_t>(values.elements()));
  for (size_t row = 0; row < static_cast<size_t>(values.shape[0]); ++row) {
    DecodeBlocks(type, std::span(bytes).subspan(row * row_bytes, row_bytes),
                 std::span(got).subspan(row * columns, columns));
  }
  EXPECT_EQ(Bits(got), Bits(values.As<float>()));
}

TEST(BlockValuesTest, OfRandomBlocksAndOfGgmlsAreGgmls) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const BlockSpec& spec : BlockSpecs()) {
    const std::string file = std::string(spec.name) + ".safetensors";
    const FixtureTensors types = ReadFixture(*shared + "/fixtures/packing/gguf-types/" + file);
    CheckValues(spec.type, Find(types, "blocks"), Find(types, "values"));
    const FixtureTensors ggml = ReadFixture(*shared + "/fixtures/packing/gguf-ggml/" + file);
    for (const std::string kind : {"plain", "importance"}) {
      if (!ggml.contains(kind + "/blocks")) continue;  // a lattice that ggml does not write without importance
      CheckValues(spec.type, Find(ggml, kind + "/blocks"), Find(ggml, kind + "/values"));
    }
  }
}

TEST(BlockValuesTest, OfTheCopiesBesideTheTests) {
  for (const char* name :
       {"IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS", "Q2_K", "Q3_K", "Q4_K", "Q6_K"}) {
    const FixtureTensors tensors =
        ReadFixture(SourcePath("tests/golden/formats/" + std::string(name) + ".safetensors"));
    CheckValues(*ParseBlockType(name), Find(tensors, "blocks"), Find(tensors, "values"));
  }
}

// Each exponent's byte decodes, also those whose scale is no normal number of f32, and survives packing.
TEST(BlockValuesTest, MxFp4OfEveryExponent) {
  const Grid& grid = GridOf(BlockType::kMXFP4);
  for (int exponent = 0; exponent < 256; ++exponent) {
    SCOPED_TRACE(exponent);
    std::vector<uint8_t> blocks(17, 0x10);  // the numbers 0 (low) and 0.5 (high)
    blocks[0] = static_cast<uint8_t>(exponent);
    std::vector<float> values(32);
    DecodeBlocks(BlockType::kMXFP4, blocks, values);
    EXPECT_EQ(values[0], 0);
    EXPECT_EQ(values[16], std::ldexp(0.5, exponent - 127));
    GridCodes codes(grid, 1, 32);
    const BlockRow row = RowOf(codes, grid, 32, 0);
    UnpackBlocks(BlockType::kMXFP4, blocks, row);
    std::vector<uint8_t> packed(17);
    PackBlocks(BlockType::kMXFP4, row, packed);
    EXPECT_EQ(packed, blocks);
  }
}

// Sizes of types.json: ggml_types_test.cc holds GgmlTypes to them.
TEST(BlockValuesTest, TypesAreThoseOfGgufFiles) {
  for (const BlockSpec& spec : BlockSpecs()) {
    SCOPED_TRACE(std::string(spec.name));
    const auto type = FindGgmlType(spec.ggml_id);
    ASSERT_TRUE(type.has_value());
    EXPECT_EQ(type->name, spec.name);
    EXPECT_EQ(type->values_per_block, spec.values);
    EXPECT_EQ(type->bytes_per_block, spec.bytes);
    ASSERT_THAT(BlockTypeOfId(spec.ggml_id), IsOk());
    EXPECT_EQ(*BlockTypeOfId(spec.ggml_id), spec.type);
  }
  for (const uint32_t id : {0u, 19u, 4u, ~0u}) {  // F32, IQ1_S, one that ggml gave up, nothing
    EXPECT_THAT(BlockTypeOfId(id), HasReason("FORMAT_UNKNOWN")) << id;
  }
}

}  // namespace
}  // namespace bitwright::worker
