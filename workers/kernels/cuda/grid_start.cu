#include "workers/kernels/cuda/grid_start.h"

#include "workers/kernels/cuda/grid_search.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kWarps = 8;
__device__ void StoreOneLevel(const GridRows& rows, GroupSearch& search, int64_t row, int64_t g, const float* moment) {
  search.Load(row, g, moment);
  const Scale stored = search.Store(search.Find());
  if (Lane() != 0) return;
  rows.scales[rows.Shared(row, g)] = stored.scale;
  rows.minima_of[rows.Shared(row, g)] = stored.minimum;
}

// Of several super-scales and super-minima those of least error over all groups of the super-block.
__device__ void StoreTwoLevels(const GridRows& rows, const GridSearch& tries, GroupSearch& search, int64_t row,
                               int64_t first, const float* moment) {
  const int64_t end = first + rows.super / rows.group;
  Scale most, least;
  for (int64_t g = first; g < end; ++g) {
    search.Load(row, g, moment);
    const Scale found = search.Find();
    if (Lane() == 0) {
      rows.scale[rows.Own(row, g)] = found.scale;
      rows.minimum[rows.Own(row, g)] = found.minimum;
    }
    most = {fmaxf(most.scale, found.scale), fmaxf(most.minimum, found.minimum)};
    least.scale = fminf(least.scale, found.scale);
  }
  const float extreme = most.scale >= -least.scale ? most.scale : least.scale;
  Scale super;
  const bool takes_part = Lane() < tries.supers;
  if (takes_part) {
    super.scale = search.Stored(extreme * tries.super_scale[Lane()]);
    if (rows.minima) super.minimum = search.Stored(most.minimum * tries.super_minimum[Lane()]);
  }
  float error = 0;
  for (int64_t g = first; g < end; ++g) {
    search.Load(row, g, moment);
    const Scale found{rows.scale[rows.Own(row, g)], rows.minimum[rows.Own(row, g)]};
    float lowest = kNone;
    for (int tried = 0; takes_part && tried < search.Reach(); ++tried) {
      lowest = fminf(lowest, search.ErrorOf(super, search.Integers(found, super, tried)));
    }
    error += lowest;
  }
  const LeastOf best = LaneLeast(takes_part ? error : kNone, Lane(), kNone);
  const int from = max(best.index, 0);
  const Scale chosen{__shfl_sync(kAllLanes, super.scale, from), __shfl_sync(kAllLanes, super.minimum, from)};
  super = best.index < 0 ? Scale{} : chosen;
  if (Lane() == 0) {
    rows.scales[rows.Shared(row, first)] = super.scale;
    rows.minima_of[rows.Shared(row, first)] = super.minimum;
  }
  for (int64_t g = first; g < end; ++g) {
    search.Load(row, g, moment);
    const Scale found{rows.scale[rows.Own(row, g)], rows.minimum[rows.Own(row, g)]};
    const Scale integers = search.Integers(found, super, min(Lane(), search.Reach() - 1));
    const LeastOf least_of = LaneLeast(search.ErrorOf(super, integers), Lane(), kNone);
    if (Lane() != max(least_of.index, 0)) continue;
    rows.sub_scales[rows.Own(row, g)] = integers.scale;
    rows.sub_minima[rows.Own(row, g)] = integers.minimum;
  }
}

__global__ void __launch_bounds__(kWarps* kWarp)
    StartRowsKernel(const __grid_constant__ GridRows rows, const __grid_constant__ GridSearch tries,
                    const float* moment) {
  __shared__ Group groups[kWarps];
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t index = int64_t{blockIdx.x} * kWarps + warp;
  if (index >= rows.rows * rows.scale_count) return;
  const int64_t row = index / rows.scale_count, at = index % rows.scale_count;
  GroupSearch search(rows, tries, groups[warp]);
  if (rows.two_levels()) {
    StoreTwoLevels(rows, tries, search, row, at * (rows.super / rows.group), moment);
  } else {
    StoreOneLevel(rows, search, row, at, moment);
  }
}

}  // namespace

cudaError_t StartRows(const GridRows& rows, const GridSearch& search, const float* moment, cudaStream_t stream) {
  if (rows.rows == 0) return cudaSuccess;
  const int64_t warps = rows.rows * rows.scale_count;
  StartRowsKernel<<<static_cast<unsigned>(CeilDiv(warps, kWarps)), kWarps * kWarp, 0, stream>>>(rows, search, moment);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
