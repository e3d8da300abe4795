#include "workers/kernels/cuda/ldlq_panel.h"

#include "workers/kernels/cuda/ldlq_policy.cuh"
#include "workers/kernels/cuda/scale_search.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kWarps = 16;            // of a block, a row each
constexpr int kOwn = kPanel / kWarp;  // neighbouring columns of the panel that a lane holds

__device__ void LoadFour(const float* from, float (&to)[kOwn]) {
  const float4 four = *reinterpret_cast<const float4*>(from);
  to[0] = four.x;
  to[1] = four.y;
  to[2] = four.z;
  to[3] = four.w;
}

// M within the panel, above its diagonal; zeros elsewhere, so that an error reaches later columns alone.
__device__ void LoadTriangle(const LdlqPanel& panel, int64_t stride, float* m) {
  for (int i = static_cast<int>(threadIdx.x); i < kPanel * kPanel; i += static_cast<int>(blockDim.x)) {
    const int row = i / kPanel, column = i % kPanel;
    m[i] = column > row ? panel.m[(panel.begin + row) * stride + panel.begin + column] : 0;
  }
}

// One row in one warp; arrays are of the columns that a lane holds.
struct Row {
  float w[kOwn], sum[kOwn], e[kOwn], miss[kOwn], scale[kOwn], minimum[kOwn];
  int code[kOwn];

  // Adds factor times row j of M.
  __device__ static void AddProducts(const float* m, int j, float factor, float (&to)[kOwn]) {
    float row[kOwn];
    LoadFour(m + j * kPanel + kOwn * Lane(), row);
    for (int k = 0; k < kOwn; ++k) to[k] = fmaf(factor, row[k], to[k]);
  }

  // The scale of the group of columns that begins with those of lane `owner`, from the row as GPTQ in its original form
  // sees it there: w + x, where x M_SS = a_S (StandingValues in cpu/row_lanes.h).
  __device__ float ChooseScale(const float* m, int owner, int group, const ScaleSearch& search, const float* importance,
                               float* standing) const {
    float x[kOwn];
    for (int k = 0; k < kOwn; ++k) x[k] = sum[k];
    const int end = owner + group / kOwn;
    for (int from = owner; from < end; ++from) {
#pragma unroll
      for (int k = 0; k < kOwn; ++k) AddProducts(m, kOwn * from + k, -__shfl_sync(kAllLanes, x[k], from), x);
    }
    float most = 0;
    const bool mine = Lane() >= owner && Lane() < end;
    __syncwarp();
    for (int k = 0; k < kOwn; ++k) {
      const float value = w[k] + x[k];
      standing[kOwn * Lane() + k] = value;
      if (mine) most = fmaxf(most, fabsf(value));
    }
    __syncwarp();
    LaneScale candidate(search, LaneMax(most));
    if (search.searched) candidate.Add(standing + kOwn * owner, importance + kOwn * owner, group);
    return candidate.Best();
  }

  template <typename Live>
  __device__ void RoundOne(const float* m, int owner, int k, const Live& live) {
    const float weight = __shfl_sync(kAllLanes, w[k], owner), added = __shfl_sync(kAllLanes, sum[k], owner);
    const float s = __shfl_sync(kAllLanes, scale[k], owner), n = __shfl_sync(kAllLanes, minimum[k], owner);
    const float z = __fadd_rn(weight, added);
    int nearest;
    const float q = live.Round(z, s, n, nearest);
    const float error = __fsub_rn(weight, q);
    if (Lane() == owner) {
      e[k] = error;
      miss[k] = __fsub_rn(z, q);
      code[k] = nearest;
    }
    AddProducts(m, kOwn * owner + k, error, sum);
  }
};

template <typename Policy, bool dynamic>
__global__ void __launch_bounds__(kWarps* kWarp, 2)
    RoundPanelKernel(const __grid_constant__ LdlqRows rows, const __grid_constant__ LdlqPanel panel,
                     const __grid_constant__ Policy policy, const float* importance) {
  extern __shared__ float4 shared[];
  auto* m = reinterpret_cast<float*>(shared);
  float* weights = m + kPanel * kPanel;  // importance of the panel's columns
  const int lane = Lane(), warp = static_cast<int>(threadIdx.x) / kWarp;
  float* standing = weights + kPanel * (1 + warp);
  LoadTriangle(panel, rows.stride, m);
  if constexpr (dynamic) {
    for (int j = static_cast<int>(threadIdx.x); j < panel.width; j += kWarps * kWarp) {
      weights[j] = importance[panel.begin + j];
    }
  }
  __syncthreads();
  const int64_t at = int64_t{blockIdx.x} * kWarps + warp;
  if (at >= rows.rows) return;
  Row row;
  const int64_t groups = rows.columns / rows.group;
  const int64_t first = at * rows.stride + panel.begin + kOwn * lane;
  LoadFour(rows.w + first, row.w);
  LoadFour(rows.sums + first, row.sum);
  int64_t column[kOwn];
  for (int k = 0; k < kOwn; ++k) {
    const int position = kOwn * lane + k;
    row.e[k] = row.miss[k] = row.minimum[k] = 0;
    row.scale[k] = 1;
    column[k] = position < panel.width ? panel.order[panel.begin + position] : -1;
    if (dynamic || column[k] < 0) continue;
    const int64_t group = at * groups + column[k] / rows.group;
    row.scale[k] = rows.scales[group];
    if (rows.minima != nullptr) row.minimum[k] = rows.minima[group];
  }
  const auto live = policy.Live();
  for (int owner = 0; owner * kOwn < panel.width; ++owner) {
    if constexpr (dynamic) {
      const int group = static_cast<int>(rows.group), per = group / kOwn;
      if (owner % per == 0) {
        const float scale = row.ChooseScale(m, owner, group, policy.search, weights, standing);
        if (lane >= owner && lane < owner + per) {
          for (int k = 0; k < kOwn; ++k) row.scale[k] = scale;
        }
        if (lane == 0) rows.scales[at * groups + (panel.begin + owner * kOwn) / group] = scale;
      }
    }
#pragma unroll
    for (int k = 0; k < kOwn; ++k) {
      if (owner * kOwn + k < panel.width) row.RoundOne(m, owner, k, live);
    }
  }
  double loss = 0, squared = 0;
  for (int k = 0; k < kOwn; ++k) {
    rows.errors[at * kPanel + kOwn * lane + k] = row.e[k];
    if (column[k] < 0) continue;
    static_cast<uint8_t*>(rows.codes)[at * rows.columns + column[k]] = static_cast<uint8_t>(row.code[k]);
    loss += double{panel.d[panel.begin + kOwn * lane + k]} * row.miss[k] * row.miss[k];
    squared += double{row.e[k]} * row.e[k];
  }
  loss = LaneSum(loss);
  squared = LaneSum(squared);
  if (lane == 0) {
    rows.loss[at] += loss;
    rows.squared[at] += squared;
  }
}

template <typename Policy, bool dynamic>
cudaError_t Launch(const LdlqRows& rows, const LdlqPanel& panel, const Policy& policy, const float* importance,
                   cudaStream_t stream) {
  constexpr int kBytes = static_cast<int>(sizeof(float)) * kPanel * (kPanel + 1 + kWarps);
  if (rows.rows == 0) return cudaSuccess;
  const auto kernel = RoundPanelKernel<Policy, dynamic>;
  // Above 48 KiB only on request.
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes);
  if (error != cudaSuccess) return error;
  kernel<<<static_cast<unsigned>(CeilDiv(rows.rows, kWarps)), kWarps * kWarp, kBytes, stream>>>(rows, panel, policy,
                                                                                                importance);
  return cudaGetLastError();
}

}  // namespace

cudaError_t RoundPanel(const LdlqRows& rows, const LdlqPanel& panel, const ScaleSearch& search, bool dynamic,
                       const float* importance, cudaStream_t stream) {
  const IntegerPolicy policy{search};
  return dynamic ? Launch<IntegerPolicy, true>(rows, panel, policy, importance, stream)
                 : Launch<IntegerPolicy, false>(rows, panel, policy, importance, stream);
}

cudaError_t RoundPanelOnGrid(const LdlqRows& rows, const LdlqPanel& panel, const LaneGrid* grid, cudaStream_t stream) {
  return Launch<GridPolicy, false>(rows, panel, {grid}, nullptr, stream);
}

}  // namespace bitwright::worker::cuda
