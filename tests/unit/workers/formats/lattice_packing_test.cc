#include "workers/formats/lattice_packing.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"

namespace bitwright::worker {
namespace {

constexpr BlockType kTypes[] = {BlockType::kIQ2_XXS, BlockType::kIQ2_XS, BlockType::kIQ2_S, BlockType::kIQ3_XXS,
                                BlockType::kIQ3_S};

// Every block of a fixture as one row: values in every bit, and the bytes again.
void CheckBlocks(BlockType type, const std::vector<uint8_t>& blocks, const std::vector<float>& values) {
  SCOPED_TRACE(std::string(SpecOf(type).name));
  const auto columns = static_cast<int64_t>(values.size());
  const Lattice& lattice = LatticeOf(type);
  LatticeCodes codes(lattice, 1, columns);
  const LatticeRow row = RowOf(codes, lattice, columns, 0);
  UnpackBlocks(type, blocks, row);
  const std::vector<float> got = ValuesOf(codes, lattice, 1, columns);
  int64_t wrong = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    wrong += std::bit_cast<uint32_t>(got[i]) != std::bit_cast<uint32_t>(values[i]) ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0);
  std::vector<uint8_t> packed(blocks.size());
  PackBlocks(type, row, packed);
  EXPECT_EQ(packed, blocks);
}

TEST(LatticePackingTest, TheCopiesBesideTheTests) {
  for (const BlockType type : kTypes) {
    const FixtureTensors tensors =
        ReadFixture(SourcePath("tests/golden/formats/" + std::string(SpecOf(type).name) + ".safetensors"));
    CheckBlocks(type, Find(tensors, "blocks").As<uint8_t>(), Find(tensors, "values").As<float>());
  }
}

TEST(LatticePackingTest, UnpacksWhatGgmlWrote) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const BlockType type : kTypes) {
    const FixtureTensors tensors =
        ReadFixture(*shared + "/fixtures/packing/gguf-ggml/" + std::string(SpecOf(type).name) + ".safetensors");
    for (const std::string kind : {"plain", "importance"}) {
      if (!tensors.contains(kind + "/blocks")) continue;  // ggml does not write it without importance
      CheckBlocks(type, Find(tensors, kind + "/blocks").As<uint8_t>(), Find(tensors, kind + "/values").As<float>());
    }
  }
}

// Random numbers of the lattice survive the way there and back.
TEST(LatticePackingTest, PacksWhateverItsLatticeHas) {
  std::mt19937 random(3);
  constexpr int64_t kRows = 2, kColumns = 1024;
  for (const BlockType type : kTypes) {
    SCOPED_TRACE(std::string(SpecOf(type).name));
    const Lattice& lattice = LatticeOf(type);
    LatticeCodes codes(lattice, kRows, kColumns);
    for (uint16_t& point : codes.points)
      point = static_cast<uint16_t>(random() % static_cast<uint64_t>(lattice.count()));
    for (uint8_t& signs : codes.signs) {
      signs = static_cast<uint8_t>(random());
      if (lattice.even_signs && std::popcount(signs) % 2 != 0) signs ^= 0x80;
    }
    for (float& scale : codes.scales) scale = std::exp2(static_cast<float>(random() % 29) - 14);
    for (uint8_t& s : codes.sub_scales) s = static_cast<uint8_t>(random() % 16);
    LatticeCodes back(lattice, kRows, kColumns);
    for (int64_t row = 0; row < kRows; ++row) {
      std::vector<uint8_t> blocks(static_cast<size_t>(SpecOf(type).RowBytes(kColumns)));
      PackBlocks(type, RowOf(codes, lattice, kColumns, row), blocks);
      UnpackBlocks(type, blocks, RowOf(back, lattice, kColumns, row));
    }
    EXPECT_EQ(back.points, codes.points);
    EXPECT_EQ(back.signs, codes.signs);
    EXPECT_EQ(back.scales, codes.scales);
    EXPECT_EQ(back.sub_scales, codes.sub_scales);
  }
}

TEST(LatticePackingTest, NoPointIsThereTwice) {
  for (const BlockType type : kTypes) {
    const Lattice& lattice = LatticeOf(type);
    std::set<std::vector<uint8_t>> points;
    for (int64_t p = 0; p < lattice.count(); ++p) {
      points.emplace(lattice.Point(p), lattice.Point(p) + lattice.size);
    }
    EXPECT_EQ(std::ssize(points), lattice.count()) << SpecOf(type).name;
  }
}

TEST(LatticePackingTest, TypesAreOnAGridOrOnALattice) {
  for (const BlockSpec& spec : BlockSpecs()) {
    EXPECT_EQ(OnLattice(spec.type), spec.name.starts_with("IQ2") || spec.name.starts_with("IQ3")) << spec.name;
  }
  for (const BlockType type : kTypes) EXPECT_EQ(CodeBits(type), SpecOf(type).name[2] - '0') << SpecOf(type).name;
}

}  // namespace
}  // namespace bitwright::worker
