#include "workers/kernels/grid.h"

namespace bitwright::worker {

GridCodes::GridCodes(const Grid& grid, int64_t rows, int64_t columns) {
  const auto scale_count = static_cast<size_t>(rows * grid.scales(columns));
  const auto group_count = static_cast<size_t>(rows * grid.groups(columns));
  codes.resize(static_cast<size_t>(rows * columns));
  scales.resize(scale_count);
  if (grid.minima) minima.resize(scale_count);
  if (!grid.two_levels()) return;
  sub_scales.resize(group_count);
  if (grid.minima) sub_minima.resize(group_count);
}

}  // namespace bitwright::worker
