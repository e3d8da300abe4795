#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "workers/formats/block_packing.h"
#include "workers/kernels/grid.h"

namespace bitwright::worker {
namespace {

constexpr const char* kGolden = "tests/golden/formats/";

// Every block of a fixture as one row.
void CheckBlocks(BlockType type, const std::vector<uint8_t>& blocks, const std::vector<float>& values) {
  const BlockSpec& spec = SpecOf(type);
  SCOPED_TRACE(std::string(spec.name));
  const int64_t columns = static_cast<int64_t>(values.size());
  ASSERT_EQ(static_cast<int64_t>(blocks.size()), spec.RowBytes(columns));
  const Grid& grid = GridOf(type);
  GridCodes codes(grid, 1, columns);
  UnpackBlocks(type, blocks, RowOf(codes, grid, columns, 0));
  const std::vector<float> got = ValuesOf(codes, grid, 1, columns);
  int64_t wrong = 0;
  for (size_t i = 0; i < got.size(); ++i) wrong += got[i] != values[i] ? 1 : 0;  // −0 is 0
  EXPECT_EQ(wrong, 0);
  std::vector<uint8_t> packed(blocks.size());
  PackBlocks(type, RowOf(codes, grid, columns, 0), packed);
  if (type != BlockType::kMXFP4) {
    EXPECT_EQ(packed, blocks);
    return;
  }
  for (size_t i = 0; i < packed.size(); ++i) {  // its −0 comes back as 0
    const auto plain = [](uint8_t nibble) { return nibble == 8 ? 0 : nibble; };
    const uint8_t a = packed[i], b = blocks[i];
    if (i % 17 == 0) {
      EXPECT_EQ(a, b) << i;
    } else {
      EXPECT_EQ(plain(a & 15), plain(b & 15)) << i;
      EXPECT_EQ(plain(a >> 4), plain(b >> 4)) << i;
    }
  }
}

TEST(BlockPackingTest, UnpacksRandomBlocksAsTheReferenceDoes) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const BlockSpec& spec : BlockSpecs()) {
    if (OnLattice(spec.type)) continue;
    const FixtureTensors tensors =
        ReadFixture(*shared + "/fixtures/packing/gguf-types/" + std::string(spec.name) + ".safetensors");
    CheckBlocks(spec.type, Find(tensors, "blocks").As<uint8_t>(), Find(tensors, "values").As<float>());
  }
}

TEST(BlockPackingTest, UnpacksWhatGgmlWrote) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const BlockSpec& spec : BlockSpecs()) {
    if (OnLattice(spec.type)) continue;
    const FixtureTensors tensors =
        ReadFixture(*shared + "/fixtures/packing/gguf-ggml/" + std::string(spec.name) + ".safetensors");
    for (const std::string kind : {"plain", "importance"}) {
      CheckBlocks(spec.type, Find(tensors, kind + "/blocks").As<uint8_t>(),
                  Find(tensors, kind + "/values").As<float>());
    }
  }
}

TEST(BlockPackingTest, TheCopiesBesideTheTests) {
  for (const char* name : {"Q3_K", "Q4_K"}) {
    const FixtureTensors tensors = ReadFixture(SourcePath(kGolden + std::string(name) + ".safetensors"));
    CheckBlocks(*ParseBlockType(name), Find(tensors, "blocks").As<uint8_t>(), Find(tensors, "values").As<float>());
  }
}

// Random numbers of the grid survive the way there and back.
TEST(BlockPackingTest, PacksWhateverItsGridHas) {
  std::mt19937 random(3);
  for (const BlockSpec& spec : BlockSpecs()) {
    if (OnLattice(spec.type)) continue;
    SCOPED_TRACE(std::string(spec.name));
    const Grid& grid = GridOf(spec.type);
    constexpr int64_t kColumns = 1024;
    GridCodes codes(grid, 2, kColumns);
    const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    for (uint8_t& code : codes.codes) code = static_cast<uint8_t>(draw(0, static_cast<int>(grid.codebook.size()) - 1));
    for (float& scale : codes.scales) scale = std::exp2(static_cast<float>(draw(-14, 14)));
    for (float& minimum : codes.minima) minimum = static_cast<float>(draw(-30, 30)) / 8;
    for (int8_t& k : codes.sub_scales) k = static_cast<int8_t>(draw(grid.least_scale, grid.most_scale));
    for (uint8_t& n : codes.sub_minima) n = static_cast<uint8_t>(draw(0, grid.most_minimum));
    GridCodes back(grid, 2, kColumns);
    for (int64_t row = 0; row < 2; ++row) {
      std::vector<uint8_t> blocks(static_cast<size_t>(spec.RowBytes(kColumns)));
      PackBlocks(spec.type, RowOf(codes, grid, kColumns, row), blocks);
      UnpackBlocks(spec.type, blocks, RowOf(back, grid, kColumns, row));
    }
    EXPECT_EQ(back.codes, codes.codes);
    EXPECT_EQ(back.scales, codes.scales);
    EXPECT_EQ(back.minima, codes.minima);
    EXPECT_EQ(back.sub_scales, codes.sub_scales);
    EXPECT_EQ(back.sub_minima, codes.sub_minima);
  }
}

TEST(BlockPackingTest, FindsTypesByName) {
  for (const BlockSpec& spec : BlockSpecs()) EXPECT_EQ(*ParseBlockType(spec.name), spec.type);
  const absl::Status unknown = ParseBlockType("Q4_Z").status();
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(unknown.message().find("Q4_Z"), std::string::npos);
  EXPECT_NE(unknown.message().find("IQ4_XS"), std::string::npos);
}

}  // namespace
}  // namespace bitwright::worker
