#include "workers/kernels/cuda/grid_rows.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/nearest.cuh"

namespace bitwright::worker::cuda {

cudaError_t MultiplyScales(const GridRows& rows, cudaStream_t stream) {
  return ForElements(rows.rows, rows.groups, stream, [=] __device__(int64_t r, int64_t g) {
    const int64_t own = rows.Own(r, g), shared = rows.Shared(r, g);
    rows.scale[own] = rows.scales[shared] * (rows.two_levels() ? rows.sub_scales[own] : 1);
    rows.minimum[own] = rows.minima_of[shared] * (rows.two_levels() ? rows.sub_minima[own] : 1);
  });
}

cudaError_t ValuesOfCodes(const GridRows& rows, cudaStream_t stream) {
  return ForElements(rows.rows, rows.stride, stream, [=] __device__(int64_t r, int64_t c) {
    float& q = rows.q[r * rows.stride + c];
    q = 0;
    if (c >= rows.columns) return;
    const NearGrid values(rows.values);
    const int64_t own = rows.Own(r, c / rows.group);
    q = values.Value(values.OfCode(rows.codes[r * rows.columns + c]), rows.scale[own], rows.minimum[own]);
  });
}

cudaError_t NearestCodes(const GridRows& rows, cudaStream_t stream) {
  return ForElements(rows.rows, rows.stride, stream, [=] __device__(int64_t r, int64_t c) {
    const int64_t at = r * rows.stride + c;
    rows.q[at] = 0;
    if (c >= rows.columns) return;
    const NearGrid values(rows.values);
    const int64_t own = rows.Own(r, c / rows.group);
    const Near near = values.Nearest(rows.w[at], InverseScale(rows.scale[own]), rows.minimum[own]);
    rows.codes[r * rows.columns + c] = static_cast<uint8_t>(near.code);
    rows.q[at] = values.Value(near.of_codebook, rows.scale[own], rows.minimum[own]);
  });
}

}  // namespace bitwright::worker::cuda
