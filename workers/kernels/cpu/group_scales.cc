#include "workers/kernels/cpu/group_scales.h"

#include <span>

#include "workers/kernels/cpu/row_lanes.h"
#include "workers/tensor/stored_float.h"

namespace bitwright::worker {

void GroupScales(ScaleMethod method, const IntGrid& grid, const float* w, int64_t columns, const float* weights,
                 float* scales) {
  alignas(64) float start[kLaneRows];
  LaneAbsMax(w, columns, start);
  const float steps = static_cast<float>((1 << grid.bits) - 1) / 2;
  for (float& value : start) value /= steps;
  if (method == ScaleMethod::kSearched) {
    const std::span<const float> factors = ClipFactors(grid.bits);
    SearchLaneScales(w, columns, weights, factors.data(), static_cast<int64_t>(factors.size()), grid, start, scales);
  } else {
    for (int64_t r = 0; r < kLaneRows; ++r) scales[r] = RoundTo(grid.type, start[r]);
  }
  for (int64_t r = 0; r < kLaneRows; ++r) {
    if (scales[r] == 0) scales[r] = Epsilon(grid.type);
  }
}

}  // namespace bitwright::worker
