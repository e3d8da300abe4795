#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "workers/kernels/grid.h"
#include "workers/tensor/stored_float.h"

// Pieces of the reference's rounding on grids, a group of a row at a time.
namespace bitwright::worker {

// The scale and minimum of one group, as multiplied out: f32, as consumers have them. Where the grid has zero points,
// the minimum is the integer n.
struct GroupScale {
  float scale = 0;
  float minimum = 0;

  float Value(const Grid& grid, int code) const {
    const float base = grid.codebook[static_cast<size_t>(code)];
    return RoundTo(grid.value_type, grid.zero_points ? (base - minimum) * scale : base * scale - minimum);
  }
  // The code whose value is nearest to z; of two that are equally near the lower one.
  int Nearest(const Grid& grid, double z) const {
    if (scale == 0) return 0;
    const double at = grid.zero_points ? z / scale + minimum : (z + minimum) / scale;
    const auto above = std::lower_bound(grid.codebook.begin(), grid.codebook.end(), at);
    int code = static_cast<int>(above - grid.codebook.begin());
    const int last = static_cast<int>(grid.codebook.size()) - 1;
    if (code > last) return last;
    if (code > 0 && std::abs(z - Value(grid, code - 1)) <= std::abs(z - Value(grid, code))) --code;
    return code;
  }
};

// What a row of GridCodes holds for its scales, to be read and changed group by group.
class GridRow {
 public:
  GridRow(GridCodes& codes, const Grid& grid, int64_t columns, int64_t row)
      : grid_(grid),
        group0_(row * grid.groups(columns)),
        scale0_(row * grid.scales(columns)),
        codes0_(row * columns),
        codes_(codes) {}

  int64_t ScaleIndex(int64_t group) const { return scale0_ + grid_.ScaleOf(group); }
  float& scale(int64_t group) { return codes_.scales[static_cast<size_t>(ScaleIndex(group))]; }
  float& minimum(int64_t group) { return codes_.minima[static_cast<size_t>(ScaleIndex(group))]; }
  int8_t& sub_scale(int64_t group) { return codes_.sub_scales[static_cast<size_t>(group0_ + group)]; }
  uint8_t& sub_minimum(int64_t group) { return codes_.sub_minima[static_cast<size_t>(group0_ + group)]; }
  int8_t& zero(int64_t group) { return codes_.zeros[static_cast<size_t>(group0_ + group)]; }
  uint8_t& code(int64_t column) { return codes_.codes[static_cast<size_t>(codes0_ + column)]; }

  GroupScale Of(int64_t group) {
    GroupScale of{scale(group), grid_.minima ? minimum(group) : 0};
    if (grid_.zero_points) of.minimum = zero(group);
    if (grid_.two_levels()) {
      of.scale *= sub_scale(group);
      if (grid_.minima) of.minimum *= sub_minimum(group);
    }
    return of;
  }

 private:
  const Grid& grid_;
  int64_t group0_, scale0_, codes0_;
  GridCodes& codes_;
};

}  // namespace bitwright::worker
