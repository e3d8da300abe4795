#include "workers/kernels/cuda/scale_search.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/scale_search.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kPiece = 128;  // columns of a group that a warp holds at a time

// A warp for each group of a row.
__global__ void ChooseScalesKernel(LivingWeights weights, int group, ScaleSearch search, const float* importance,
                                   float* scales) {
  __shared__ float pieces[kWarps][2][kPiece];
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = Lane();
  const int64_t groups = weights.w.columns / group, index = int64_t{blockIdx.x} * kWarps + warp;
  if (index >= weights.w.rows * groups) return;
  const int64_t first = index % groups * group;
  const float* row = weights.w.Row(index / groups) + first;
  const auto weight = [&](int j) { return weights.dead != nullptr && weights.dead[first + j] != 0 ? 0.0f : row[j]; };
  float most = 0;
  for (int j = lane; j < group; j += kWarp) most = fmaxf(most, fabsf(weight(j)));
  LaneScale scale(search, LaneMax(most));
  for (int begin = 0; search.searched && begin < group; begin += kPiece) {
    const int columns = min(kPiece, group - begin);
    __syncwarp();
    for (int j = lane; j < columns; j += kWarp) {
      pieces[warp][0][j] = weight(begin + j);
      pieces[warp][1][j] = importance[first + begin + j];
    }
    __syncwarp();
    scale.Add(pieces[warp][0], pieces[warp][1], columns);
  }
  const float best = scale.Best();
  if (lane == 0) scales[index] = best;
}

}  // namespace

cudaError_t ChooseScales(const LivingWeights& weights, int64_t group, const ScaleSearch& search,
                         const float* importance, float* scales, cudaStream_t stream) {
  const int64_t all = weights.w.rows * (weights.w.columns / group);
  if (all == 0) return cudaSuccess;
  ChooseScalesKernel<<<static_cast<unsigned>(CeilDiv(all, kWarps)), kWarps * kWarp, 0, stream>>>(
      weights, static_cast<int>(group), search, importance, scales);
  return cudaGetLastError();
}

cudaError_t NearestIntegers(const Wide& weights, int64_t group, const ScaleSearch& search, DType quotient_type,
                            const float* scales, int8_t* codes, cudaStream_t stream) {
  const int64_t columns = weights.columns;
  return ForElements(weights.rows, columns, stream, [=] __device__(int64_t r, int64_t c) {
    const float ratio = RoundTo(quotient_type, weights.Row(r)[c] / scales[(r * columns + c) / group]);
    codes[r * columns + c] = static_cast<int8_t>(rintf(fminf(fmaxf(ratio, search.low), search.high)));
  });
}

}  // namespace bitwright::worker::cuda
