#include "workers/kernels/grid.h"

#include <cmath>

#include "workers/tensor/stored_float.h"

namespace bitwright::worker {

GridCodes::GridCodes(const Grid& grid, int64_t rows, int64_t columns) {
  const auto scale_count = static_cast<size_t>(rows * grid.scales(columns));
  const auto group_count = static_cast<size_t>(rows * grid.groups(columns));
  codes.resize(static_cast<size_t>(rows * columns));
  scales.resize(scale_count);
  if (grid.minima) minima.resize(scale_count);
  if (grid.zero_points) zeros.resize(group_count);
  if (!grid.two_levels()) return;
  sub_scales.resize(group_count);
  if (grid.minima) sub_minima.resize(group_count);
}

std::vector<float> ValuesOf(const GridCodes& codes, const Grid& grid, int64_t rows, int64_t columns) {
  const int64_t groups = grid.groups(columns), scales = grid.scales(columns);
  std::vector<float> values(static_cast<size_t>(rows * columns));
  for (int64_t g = 0; g < rows * groups; ++g) {
    const auto own = static_cast<size_t>(g),
               shared = static_cast<size_t>(g / groups * scales + grid.ScaleOf(g % groups));
    float scale = codes.scales[shared], minimum = grid.minima ? codes.minima[shared] : 0;
    if (grid.two_levels()) scale *= codes.sub_scales[own];
    if (grid.two_levels() && grid.minima) minimum *= codes.sub_minima[own];
    const float zero = grid.zero_points ? codes.zeros[own] : 0;
    for (int64_t j = g * grid.group; j < (g + 1) * grid.group; ++j) {
      const auto at = static_cast<size_t>(j);
      values[at] = RoundTo(grid.value_type, (grid.codebook[codes.codes[at]] - zero) * scale - minimum);
    }
  }
  return values;
}

std::vector<float> SmallFloats(int fraction_bits, int least_exponent, float most) {
  std::vector<float> positive;
  const int64_t per_binade = int64_t{1} << fraction_bits;
  float step = std::ldexp(1.0f, least_exponent - fraction_bits);  // below the first power of two and above it
  for (int64_t k = 1; positive.empty() || positive.back() < most; ++k) {
    positive.push_back((positive.empty() ? 0 : positive.back()) + step);
    if (k % per_binade == 0 && k > per_binade) step *= 2;
  }
  std::vector<float> all;
  for (size_t i = positive.size(); i > 0; --i) all.push_back(-positive[i - 1]);
  all.push_back(0);
  all.insert(all.end(), positive.begin(), positive.end());
  return all;
}

}  // namespace bitwright::worker
