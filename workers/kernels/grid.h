#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/tensor/dtype.h"

namespace bitwright::worker {

// How a scale or a minimum is stored.
enum class ScaleType {
  kF32,
  kF16,
  kBF16,
  kE8M0,  // a power of two, 2^(e − 127)
  kE4M3,  // OCP FP8 without infinities, positive
};

// The values that a row of weights may take once it is stored. A run of `group` neighbouring columns shares a scale s
// and a minimum m, and
//   value = codebook[code] · s − m, rounded to value_type.
// On one level, s and m are numbers of scale_type. On two, `super` neighbouring columns share a super-scale and a
// super-minimum of scale_type, and s = super-scale · k, m = super-minimum · n with small integers k and n of each
// group. Where a grid has zero points, m = s · n with an integer n among the codebook's, and
//   value = (codebook[code] − n) · s, rounded to value_type.
// One description serves every scalar format (integers, minifloats, 4-bit codebooks, GGUF's block types but for
// its lattices), so that one rounding kernel serves them all.
struct Grid {
  std::span<const float> codebook;  // [codes], rising, at most 256; outlives the grid
  int64_t group = 0;                // columns; divides super where there is one, and the row
  int64_t super = 0;                // columns; 0: scales stand alone
  int least_scale = 0;              // k lies in [least_scale, most_scale]; two levels only
  int most_scale = 0;
  int most_minimum = 0;          // n lies in [0, most_minimum]; 0: two levels without minima
  bool minima = false;           // m is stored; false: m = 0, or there are zero points
  bool negative_scales = false;  // s (on two levels the super-scale) may be negative
  ScaleType scale_type = ScaleType::kF16;
  DType value_type = DType::kF32;
  bool zero_points = false;   // n is stored; one level, consecutive integers
  bool given_scales = false;  // whoever rounds brings the scales (GridSteps::scales), which then stand; one level
  float scale_divisor = 1;    // a scale is a number of scale_type divided by this one, in f32
  int fraction_bits = -1;     // ≥ 0: the codebook is that of SmallFloats, and the nearest is found without a search

  constexpr bool two_levels() const { return super != 0; }
  constexpr int64_t groups(int64_t columns) const { return columns / group; }
  // Numbers of scale_type that a row stores for its scales, and as many for its minima where there are any.
  constexpr int64_t scales(int64_t columns) const { return columns / (two_levels() ? super : group); }
  // Which of them is that of group `index` of the row.
  constexpr int64_t ScaleOf(int64_t index) const { return two_levels() ? index * group / super : index; }
  // A group's scale may be negative.
  constexpr bool both_signs() const { return negative_scales || least_scale < 0; }
};

// All finite numbers of a floating-point type of few bits, rising, zero once: those of `fraction_bits` bits of fraction
// and exponents from `least_exponent` on, up to `most`.
std::vector<float> SmallFloats(int fraction_bits, int least_exponent, float most);

// Rows of weights [rows, columns] on a grid: what a target packs.
struct GridCodes {
  GridCodes() = default;
  // All zeros.
  GridCodes(const Grid& grid, int64_t rows, int64_t columns);

  std::vector<uint8_t> codes;       // [rows, columns], indices into the codebook
  std::vector<float> scales;        // [rows, grid.scales(columns)], numbers of scale_type
  std::vector<float> minima;        // likewise; empty: the grid has none
  std::vector<int8_t> sub_scales;   // [rows, grid.groups(columns)] k; empty on one level
  std::vector<uint8_t> sub_minima;  // likewise n; empty: no minima, or one level
  std::vector<int8_t> zeros;        // [rows, grid.groups(columns)] n of zero points; empty: none
};

// values [rows, columns] as a consumer decodes them, in f32.
std::vector<float> ValuesOf(const GridCodes& codes, const Grid& grid, int64_t rows, int64_t columns);

// What follows the start of rounding on a grid or a lattice (Rounding::RoundOnGrid, RoundOnLattice).
struct GridSteps {
  bool feedback = true;
  int sweeps = 3;                      // over all codes, scales and minima
  bool refit = false;                  // scales of the first level, codes fixed, and then
  int sweeps_after = 2;                // as many sweeps again
  std::span<const float> scales = {};  // [rows, groups], as stored, where they are given
};

}  // namespace bitwright::worker
