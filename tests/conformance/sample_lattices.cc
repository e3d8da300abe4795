#include "tests/conformance/sample_lattices.h"

#include <random>
#include <vector>

namespace bitwright::worker {
namespace {

// Numbers 1, 3 and 5, small ones more often.
std::vector<uint8_t> Points(int64_t size) {
  std::mt19937 random(11);
  std::vector<uint8_t> points;
  for (int p = 0; p < (size == 8 ? 150 : 60); ++p) {
    for (int64_t i = 0; i < size; ++i) {
      const auto drawn = random() % 8;
      points.push_back(static_cast<uint8_t>(drawn < 4 ? 1 : drawn < 7 ? 3 : 5));
    }
  }
  return points;
}

Lattice Make(int64_t size, int64_t group, bool even_signs) {
  static const auto& of_four = *new std::vector<uint8_t>(Points(4));
  static const auto& of_eight = *new std::vector<uint8_t>(Points(8));
  Lattice lattice;
  lattice.points = size == 8 ? of_eight : of_four;
  lattice.size = size;
  lattice.group = group;
  lattice.super = 128;
  lattice.first_scale = 0.25f;
  lattice.scale_step = 0.5f;
  lattice.even_signs = even_signs;
  return lattice;
}

}  // namespace

std::span<const Lattice> SampleLattices() {
  static const auto& lattices =
      *new std::vector<Lattice>{Make(8, 32, true), Make(8, 16, false), Make(4, 32, true), Make(4, 32, false)};
  return lattices;
}

}  // namespace bitwright::worker
