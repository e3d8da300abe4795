#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace bitwright::worker {

// Values that a row of weights takes several at a time: `size` neighbouring columns are a point of a list, each number
// of it with a sign of its own,
//   value = ±number · scale,  scale = super-scale · (first_scale + s · scale_step),
// with an f16 super-scale d of every `super` columns and a small integer s of every `group`. All of it is exact in f32.
// GGUF's IQ2 and IQ3 types are such (formats/block_type.h); Grid describes what is stored value by value.
struct Lattice {
  static constexpr int64_t kSigns = 8;  // columns whose signs are stored together

  std::span<const uint8_t> points;  // [count, size], numbers that are not negative; lives as long as the program
  int64_t size = 0;                 // 4 or 8
  int64_t group = 0;                // columns; 8, 16 or 32
  int64_t super = 256;              // columns; divides the row
  int most_scale = 15;              // s lies in [0, most_scale]
  float first_scale = 0;
  float scale_step = 0;
  bool even_signs = false;  // the signs of 8 columns hold an even number of minuses

  constexpr int64_t count() const { return static_cast<int64_t>(points.size()) / size; }
  constexpr const uint8_t* Point(int64_t index) const { return points.data() + index * size; }
  constexpr int64_t groups(int64_t columns) const { return columns / group; }
  constexpr int64_t supers(int64_t columns) const { return columns / super; }
  // What the super-scale is multiplied by.
  constexpr float Multiple(int s) const { return first_scale + static_cast<float>(s) * scale_step; }
};

// Rows of weights [rows, columns] on a lattice: what a target packs.
struct LatticeCodes {
  LatticeCodes() = default;
  // The first point everywhere, scales 0.
  LatticeCodes(const Lattice& lattice, int64_t rows, int64_t columns);

  std::vector<uint16_t> points;     // [rows, columns / size], indices
  std::vector<uint8_t> signs;       // [rows, columns / 8]; bit i: the value of column i of the eight is negative
  std::vector<float> scales;        // [rows, columns / super] d, numbers of f16
  std::vector<uint8_t> sub_scales;  // [rows, columns / group] s
};

// values [rows, columns] as a consumer decodes them, the sign of zero included.
std::vector<float> ValuesOf(const LatticeCodes& codes, const Lattice& lattice, int64_t rows, int64_t columns);

}  // namespace bitwright::worker
