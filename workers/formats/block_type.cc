#include "workers/formats/block_type.h"

#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "proto/base/log.h"
#include "workers/formats/formats_errors.h"
#include "workers/formats/lattice_points.h"

namespace bitwright::worker {
namespace {

constexpr BlockSpec kSpecs[] = {
    {BlockType::kQ4_0, 2, "Q4_0", 32, 18},         {BlockType::kQ4_1, 3, "Q4_1", 32, 20},
    {BlockType::kQ5_0, 6, "Q5_0", 32, 22},         {BlockType::kQ5_1, 7, "Q5_1", 32, 24},
    {BlockType::kQ8_0, 8, "Q8_0", 32, 34},         {BlockType::kQ2_K, 10, "Q2_K", 256, 84},
    {BlockType::kQ3_K, 11, "Q3_K", 256, 110},      {BlockType::kQ4_K, 12, "Q4_K", 256, 144},
    {BlockType::kQ5_K, 13, "Q5_K", 256, 176},      {BlockType::kQ6_K, 14, "Q6_K", 256, 210},
    {BlockType::kIQ2_XXS, 16, "IQ2_XXS", 256, 66}, {BlockType::kIQ2_XS, 17, "IQ2_XS", 256, 74},
    {BlockType::kIQ3_XXS, 18, "IQ3_XXS", 256, 98}, {BlockType::kIQ4_NL, 20, "IQ4_NL", 32, 18},
    {BlockType::kIQ3_S, 21, "IQ3_S", 256, 110},    {BlockType::kIQ2_S, 22, "IQ2_S", 256, 82},
    {BlockType::kIQ4_XS, 23, "IQ4_XS", 256, 136},  {BlockType::kMXFP4, 39, "MXFP4", 32, 17},
};

static_assert([] {
  for (size_t i = 0; i < std::size(kSpecs); ++i) {
    if (static_cast<size_t>(kSpecs[i].type) != i) return false;
  }
  return true;
}());
static_assert(kSpecs[5].bits() == 2.625 && kSpecs[9].bits() == 6.5625 && kSpecs[17].bits() == 4.25);

template <int first, int count>
constexpr std::array<float, count> kIntegers = [] {
  std::array<float, count> values{};
  for (int i = 0; i < count; ++i) values[static_cast<size_t>(i)] = static_cast<float>(first + i);
  return values;
}();

// ggml's kvalues_iq4nl.
constexpr float kUneven[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
constexpr float kE2M1[] = {-6, -4, -3, -2, -1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 6};

Grid OneLevel(std::span<const float> codebook, bool minima) {
  Grid grid;
  grid.codebook = codebook;
  grid.group = 32;
  grid.minima = minima;
  grid.negative_scales = !minima;
  return grid;
}

Grid TwoLevels(std::span<const float> codebook, int64_t group, int least_scale, int most_scale) {
  Grid grid = OneLevel(codebook, false);
  grid.group = group;
  grid.super = 256;
  grid.least_scale = least_scale;
  grid.most_scale = most_scale;
  return grid;
}

Grid WithMinima(std::span<const float> codebook, int64_t group, int most) {
  Grid grid = TwoLevels(codebook, group, 0, most);
  grid.minima = true;
  grid.most_minimum = most;
  grid.negative_scales = false;
  return grid;
}

Grid PowersOfTwo() {
  Grid grid = OneLevel(kE2M1, false);
  grid.negative_scales = false;
  grid.scale_type = ScaleType::kE8M0;
  return grid;
}

Lattice OfPoints(std::span<const uint8_t> points, int64_t size, int64_t group) {
  Lattice lattice;
  lattice.points = points;
  lattice.size = size;
  lattice.group = group;
  return lattice;
}

// Scales d (0.5 + s) / 4 of IQ2 types, d (0.5 + s) / 2 of IQ3_XXS, d (1 + 2 s) of IQ3_S.
Lattice Scaled(Lattice lattice, float step, bool even_signs) {
  lattice.first_scale = step / 2;
  lattice.scale_step = step;
  lattice.even_signs = even_signs;
  return lattice;
}

std::string KnownNames() {
  std::string known;
  for (const BlockSpec& spec : kSpecs) known.append(known.empty() ? "" : ", ").append(spec.name);
  return known;
}

}  // namespace

std::span<const BlockSpec> BlockSpecs() { return kSpecs; }

const BlockSpec& SpecOf(BlockType type) { return kSpecs[static_cast<size_t>(type)]; }

absl::StatusOr<BlockType> ParseBlockType(std::string_view name) {
  for (const BlockSpec& spec : kSpecs) {
    if (spec.name == name) return spec.type;
  }
  return BlockTypeUnknownError(name, KnownNames());
}

absl::StatusOr<BlockType> BlockTypeOfId(uint32_t ggml_id) {
  for (const BlockSpec& spec : kSpecs) {
    if (spec.ggml_id == ggml_id) return spec.type;
  }
  return BlockTypeUnknownError(std::to_string(ggml_id), KnownNames());
}

int CodeBits(BlockType type) {
  if (!OnLattice(type)) return std::bit_width(GridOf(type).codebook.size() - 1);
  const Lattice& lattice = LatticeOf(type);
  const int points = std::bit_width(static_cast<uint64_t>(lattice.count() - 1)) * static_cast<int>(8 / lattice.size);
  return static_cast<int>(std::lround((points + (lattice.even_signs ? 7 : 8)) / 8.0));
}

bool OnLattice(BlockType type) {
  switch (type) {
    case BlockType::kIQ2_XXS:
    case BlockType::kIQ2_XS:
    case BlockType::kIQ3_XXS:
    case BlockType::kIQ3_S:
    case BlockType::kIQ2_S:
      return true;
    default:
      return false;
  }
}

const Grid& GridOf(BlockType type) {
  CHECK(!OnLattice(type)) << SpecOf(type).name;
  const Grid on_lattice;
  static const auto& grids = *new std::array<Grid, std::size(kSpecs)>{
      OneLevel(kIntegers<-8, 16>, false),
      OneLevel(kIntegers<0, 16>, true),
      OneLevel(kIntegers<-16, 32>, false),
      OneLevel(kIntegers<0, 32>, true),
      OneLevel(kIntegers<-128, 256>, false),
      WithMinima(kIntegers<0, 4>, 16, 15),
      TwoLevels(kIntegers<-4, 8>, 16, -32, 31),
      WithMinima(kIntegers<0, 16>, 32, 63),
      WithMinima(kIntegers<0, 32>, 32, 63),
      TwoLevels(kIntegers<-32, 64>, 16, -128, 127),
      on_lattice,
      on_lattice,
      on_lattice,
      OneLevel(kUneven, false),
      on_lattice,
      on_lattice,
      TwoLevels(kUneven, 32, -32, 31),
      PowersOfTwo(),
  };
  return grids[static_cast<size_t>(type)];
}

const Lattice& LatticeOf(BlockType type) {
  static const auto& iq2_xxs = *new Lattice(Scaled(OfPoints(Iq2XxsPoints(), 8, 32), 0.25f, true));
  static const auto& iq2_xs = *new Lattice(Scaled(OfPoints(Iq2XsPoints(), 8, 16), 0.25f, true));
  static const auto& iq2_s = *new Lattice(Scaled(OfPoints(Iq2SPoints(), 8, 16), 0.25f, false));
  static const auto& iq3_xxs = *new Lattice(Scaled(OfPoints(Iq3XxsPoints(), 4, 32), 0.5f, true));
  static const auto& iq3_s = *new Lattice(Scaled(OfPoints(Iq3SPoints(), 4, 32), 2.0f, false));
  switch (type) {
    case BlockType::kIQ2_XXS:
      return iq2_xxs;
    case BlockType::kIQ2_XS:
      return iq2_xs;
    case BlockType::kIQ2_S:
      return iq2_s;
    case BlockType::kIQ3_XXS:
      return iq3_xxs;
    default:
      CHECK(type == BlockType::kIQ3_S) << SpecOf(type).name;
      return iq3_s;
  }
}

}  // namespace bitwright::worker
