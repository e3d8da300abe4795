#include "workers/kernels/cuda/grid_sweep.h"

#include <algorithm>

#include "workers/kernels/cuda/nearest.cuh"
#include "workers/kernels/cuda/warp.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kBlock = 128;
constexpr int kApart = kBlock + 4;  // rows of a block in shared memory, so that neighbours meet different banks
constexpr int kMostWarps = 16;

// Lanes that share a row: one for each trial.
constexpr int LanesFor(int trials) { return trials <= 4 ? 4 : trials <= 8 ? 8 : 16; }

// Shared memory: H' of the block and what 1 is divided by on its diagonal; for each warp the rest R and the codes of
// the trial of each lane, and R, values and changes of its rows.
constexpr int kSharedByBlock = static_cast<int>(sizeof(float)) * kBlock * (kBlock + 1);
constexpr int SharedByWarp(int group, int lanes) {
  return kWarp * group * static_cast<int>(sizeof(float) + 1) +
         kWarp / lanes * 3 * kApart * static_cast<int>(sizeof(float));
}

struct Changed {
  float first, second;  // as stored: scale and minimum (or zero point), or their integers
  float scale, minimum;
};

__device__ Changed Change(const GridRows& rows, int64_t row, int64_t g, const GridTrial& trial, float low, float high) {
  const int64_t shared = rows.Shared(row, g), own = rows.Own(row, g);
  const float scale = rows.scales[shared], minimum = rows.minima_of[shared];
  if (rows.two_levels()) {
    const float k = fminf(fmaxf(rows.sub_scales[own] + trial.first, static_cast<float>(rows.least_scale)),
                          static_cast<float>(rows.most_scale));
    const float n = fminf(fmaxf(rows.sub_minima[own] + trial.second, 0), static_cast<float>(rows.most_minimum));
    return {k, n, scale * k, minimum * n};
  }
  float s = scale, m = minimum;
  if (trial.scale != 1) s = StoredScale(rows.scale_type, rows.scale_divisor, double{scale} * trial.scale);
  if (trial.minimum != 0) {
    m = StoredScale(rows.scale_type, rows.scale_divisor, double{minimum} + trial.minimum * fabsf(scale));
  }
  if (trial.second != 0) m = fminf(fmaxf(minimum + trial.second, low), high);
  return {s, m, s, m};
}

// The codes of a group chosen anew with one trial's scale, by one lane: its column j is element j · 32 of `rest` and
// `codes`. Gives what J falls by.
__device__ float Choose(const NearGrid& grid, const Changed& trial, const float* h, const float* inverses,
                        const float* held, int group, float* rest, uint8_t* codes) {
  const float inverse = InverseScale(trial.scale);
  float gain = 0;
  for (int j = 0; j < group; ++j) {
    const float* row = h + j * kBlock;
    const float own = row[j], before = held[j], pull = rest[j * kWarp];
    const Near near = grid.Nearest(fmaf(pull, inverses[j], before), inverse, trial.minimum);
    const float delta = grid.Value(near.of_codebook, trial.scale, trial.minimum) - before;
    gain = fmaf(delta, fmaf(-delta, own, pull + pull), gain);
    codes[j * kWarp] = static_cast<uint8_t>(near.code);
    for (int l = j + 1; l < group; ++l) rest[l * kWarp] = fmaf(-delta, row[l], rest[l * kWarp]);
  }
  return gain;
}

__global__ void __launch_bounds__(kMostWarps* kWarp)
    SweepGridKernel(const __grid_constant__ GridRows rows, const __grid_constant__ GridTrials trials,
                    const __grid_constant__ SweptBlock block, int lanes, int shared_by_warp) {
  extern __shared__ float shared[];
  float *h = shared, *inverses = h + kBlock * kBlock;
  const int group = static_cast<int>(rows.group), warps = static_cast<int>(blockDim.x) / kWarp;
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = Lane(), part = lane / lanes, own = lane % lanes;
  auto* of_warp = reinterpret_cast<uint8_t*>(inverses + kBlock) + warp * shared_by_warp;
  auto* held = reinterpret_cast<float*>(of_warp) + part * 3 * kApart;
  float *r = held + kApart, *delta = r + kApart;
  auto* rest = reinterpret_cast<float*>(of_warp) + kWarp / lanes * 3 * kApart + lane;
  uint8_t* codes = reinterpret_cast<uint8_t*>(rest - lane + kWarp * group);
  for (int i = static_cast<int>(threadIdx.x); i < kBlock * kBlock; i += static_cast<int>(blockDim.x)) {
    h[i] = block.moment[(block.begin + i / kBlock) * rows.stride + block.begin + i % kBlock];
    if (i / kBlock == i % kBlock) inverses[i % kBlock] = 1 / h[i];
  }
  __syncthreads();
  const int64_t index = (int64_t{blockIdx.x} * warps + warp) * (kWarp / lanes) + part;
  const bool exists = index < rows.rows;
  const int64_t row = exists ? index : rows.rows - 1;  // lanes of no row follow the last one's
  const int64_t at = row * rows.stride + block.begin;
  for (int j = own; j < kBlock; j += lanes) {
    held[j] = rows.q[at + j];
    r[j] = block.r[at + j];
    delta[j] = 0;
  }
  const NearGrid grid(rows.values);
  const float low = rows.values->codebook[0], high = rows.values->codebook[rows.values->count - 1];
  for (int begin = 0; begin < block.width; begin += group) {
    __syncwarp();
    const int64_t g = (block.begin + begin) / group;
    const Changed trial = Change(rows, row, g, trials.of[min(own, trials.count - 1)], low, high);
    for (int j = 0; j < group; ++j) rest[j * kWarp] = r[begin + j];
    const float gain =
        Choose(grid, trial, h + begin * (kBlock + 1), inverses + begin, held + begin, group, rest, codes + lane);
    const LeastOf best = LaneLeast(own < trials.count ? -gain : 0, own, 0, lanes);
    const int from = part * lanes + max(best.index, 0);
    const float scale = __shfl_sync(kAllLanes, trial.scale, from);
    const float minimum = __shfl_sync(kAllLanes, trial.minimum, from);
    __syncwarp();
    if (best.index >= 0) {  // two choices of equal J would change places for ever
      for (int j = begin + own; j < begin + group; j += lanes) {
        const int code = codes[(j - begin) * kWarp + from];
        const float value = grid.Value(grid.OfCode(code), scale, minimum);
        delta[j] = value - held[j];
        held[j] = value;
        if (exists) rows.codes[row * rows.columns + block.begin + j] = static_cast<uint8_t>(code);
      }
      if (exists && own == best.index) {
        const int64_t place = rows.two_levels() ? rows.Own(row, g) : rows.Shared(row, g);
        (rows.two_levels() ? rows.sub_scales : rows.scales)[place] = trial.first;
        (rows.two_levels() ? rows.sub_minima : rows.minima_of)[place] = trial.second;
      }
    }
    __syncwarp();
    for (int l = begin + group + own; l < block.width; l += lanes) {
      float sum = r[l];
      for (int j = begin; j < begin + group; ++j) sum = fmaf(-delta[j], h[j * kBlock + l], sum);
      r[l] = sum;
    }
  }
  __syncwarp();
  for (int j = own; exists && j < kBlock; j += lanes) {
    block.delta[row * kBlock + j] = delta[j];
    rows.q[at + j] = held[j];
  }
}

}  // namespace

cudaError_t SweepGrid(const GridRows& rows, const GridTrials& trials, const SweptBlock& block, cudaStream_t stream) {
  if (rows.rows == 0) return cudaSuccess;
  int device = 0, most = 0;
  cudaError_t error = cudaGetDevice(&device);
  if (error == cudaSuccess) error = cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  if (error != cudaSuccess) return error;
  const int lanes = LanesFor(trials.count), by_warp = SharedByWarp(static_cast<int>(rows.group), lanes);
  const int warps = std::clamp((most - kSharedByBlock) / by_warp, 1, kMostWarps);
  const int bytes = kSharedByBlock + warps * by_warp;
  error = cudaFuncSetAttribute(SweepGridKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (error != cudaSuccess) return error;
  const int64_t per_block = int64_t{warps} * (kWarp / lanes);
  SweepGridKernel<<<static_cast<unsigned>(CeilDiv(rows.rows, per_block)), static_cast<unsigned>(warps * kWarp),
                    static_cast<size_t>(bytes), stream>>>(rows, trials, block, lanes, by_warp);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
