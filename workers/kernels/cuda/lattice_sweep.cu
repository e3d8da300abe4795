#include "workers/kernels/cuda/lattice_sweep.h"

#include "workers/kernels/cuda/octet.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kBlock = 128;

// Shared memory; the points' numbers follow. Of each row R and what its values rose by.
struct Shared {
  float h[kBlock * kBlock];
  OctetForms forms[kBlock / 8];
  float r[kWarps][kBlock], delta[kWarps][kBlock];
};

// A group of at most 32 columns with one small scale; a lane for each column, and for what belongs to an octet the lane
// of its number.
struct Trial {
  float sub, gain = 0;
  float value, delta = 0;
  int points[2];
  unsigned signs;
  bool stays = false;
};

// h: of the group, rows kBlock apart; held and rest (R): of the lane's column.
template <int size>
__device__ Trial Try(const LatticeRows& rows, const OctetChoice<size>& choice, const OctetForms* forms, const float* h,
                     float super, float sub, bool standing, float held, float rest) {
  Trial trial;
  trial.sub = sub;
  trial.value = held;
  const float scale = __fmul_rn(super, rows.Multiple(sub)), inverse = scale == 0 ? 0 : 1 / scale;
  const int octets = static_cast<int>(rows.group) / 8, lane = Lane();
  for (int k = 0; k < octets; ++k) {
    const float pull = __shfl_sync(kAllLanes, rest, 8 * k + Column());
    const float before = __shfl_sync(kAllLanes, held, 8 * k + Column());
    const OctetForms& form = forms[k];
    const float target = before + OctetChoice<size>::Row(form.inverse + 8 * Column(), 8, pull);
    const Octet octet = choice.Choose(form, target * inverse);
    const float value = octet.number * scale;
    float delta = value - before;
    const float change = delta * (pull + pull - OctetChoice<size>::Row(form.s + 8 * Column(), 8, delta));
    const float gain = LaneSum(change, 8);
    const bool stays = standing && !(gain > 0);
    if (stays) delta = 0;
    if (!stays) trial.gain += gain;
    if (lane / 8 == k) {
      trial.value = stays ? before : value;
      trial.delta = delta;
    }
    if (lane == k) {
      trial.stays = stays;
      trial.signs = octet.signs;
      trial.points[0] = octet.points[0];
      trial.points[1] = octet.points[1];
    }
    for (int j = 0; j < 8; ++j) {
      const float rise = __shfl_sync(kAllLanes, delta, j);
      if (lane >= 8 * (k + 1) && lane < rows.group) rest = fmaf(-rise, h[(8 * k + j) * kBlock + lane], rest);
    }
  }
  return trial;
}

template <int size>
__device__ void Store(const LatticeRows& rows, const Trial& trial, int64_t row, int64_t column) {
  const int64_t first = row * rows.columns + column;
  if (Lane() < rows.group / 8 && !trial.stays) {
    const int64_t index = first / 8 + Lane();
    rows.signs[index] = static_cast<uint8_t>(trial.signs);
    for (int p = 0; p < 8 / size; ++p) rows.points[index * (8 / size) + p] = static_cast<uint16_t>(trial.points[p]);
  }
  if (Lane() < rows.group) rows.q[row * rows.stride + column + Lane()] = trial.value;
  if (Lane() == 0) rows.sub_scales[first / rows.group] = trial.sub;
}

template <int size>
__global__ void __launch_bounds__(kWarps* kWarp, 2)
    SweepLatticeKernel(const __grid_constant__ LatticeRows rows, const OctetForms* forms,
                       const __grid_constant__ SweptBlock block) {
  extern __shared__ uint32_t memory[];
  auto& shared = *reinterpret_cast<Shared*>(memory);
  auto* numbers = reinterpret_cast<uint8_t*>(&shared + 1);
  LoadShared(rows.lattice.numbers, int64_t{rows.lattice.count} * size, numbers);
  LoadShared(forms + block.begin / 8, static_cast<int64_t>(sizeof(OctetForms)) * (block.width / 8), shared.forms);
  for (int i = static_cast<int>(threadIdx.x); i < kBlock * kBlock; i += static_cast<int>(blockDim.x)) {
    shared.h[i] = block.moment[(block.begin + i / kBlock) * rows.stride + block.begin + i % kBlock];
  }
  __syncthreads();
  const int lane = Lane(), warp = static_cast<int>(threadIdx.x) / kWarp, group = static_cast<int>(rows.group);
  const int64_t row = int64_t{blockIdx.x} * kWarps + warp;
  if (row >= rows.rows) return;
  const OctetChoice<size> choice(rows.lattice, numbers);
  float *r = shared.r[warp], *delta = shared.delta[warp];
  for (int j = lane; j < kBlock; j += kWarp) {
    r[j] = block.r[row * rows.stride + block.begin + j];
    delta[j] = 0;
  }
  __syncwarp();
  for (int begin = 0; begin < block.width; begin += group) {
    const int64_t column = block.begin + begin, first = row * rows.columns + column;
    const float super = rows.supers[first / rows.super], sub = rows.sub_scales[first / group];
    const float held = lane < group ? rows.q[row * rows.stride + column + lane] : 0;
    const float rest = lane < group ? r[begin + lane] : 0;
    const auto attempt = [&](int change) {
      const float tried = fminf(fmaxf(sub + static_cast<float>(change), 0), static_cast<float>(rows.most_scale));
      return Try<size>(rows, choice, shared.forms + begin / 8, shared.h + begin * (kBlock + 1), super, tried,
                       tried == sub, held, rest);
    };
    Trial best = attempt(0);
    for (int change = -1; change <= 1; change += 2) {
      const Trial trial = attempt(change);
      if (trial.gain > best.gain) best = trial;
    }
    Store<size>(rows, best, row, column);
    if (lane < group) delta[begin + lane] = best.delta;
    __syncwarp();
    for (int l = begin + group + lane; l < block.width; l += kWarp) {
      float sum = r[l];
      for (int j = begin; j < begin + group; ++j) sum = fmaf(-delta[j], shared.h[j * kBlock + l], sum);
      r[l] = sum;
    }
    __syncwarp();
  }
  for (int j = lane; j < kBlock; j += kWarp) block.delta[row * kBlock + j] = delta[j];
}

}  // namespace

cudaError_t SweepLattice(const LatticeRows& rows, const OctetForms* forms, const SweptBlock& block,
                         cudaStream_t stream) {
  if (rows.rows == 0) return cudaSuccess;
  const auto kernel = rows.lattice.size == 8 ? SweepLatticeKernel<8> : SweepLatticeKernel<4>;
  const int bytes = static_cast<int>(sizeof(Shared)) + rows.lattice.count * rows.lattice.size;
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (error != cudaSuccess) return error;
  kernel<<<static_cast<unsigned>(CeilDiv(rows.rows, kWarps)), kWarps * kWarp, static_cast<size_t>(bytes), stream>>>(
      rows, forms, block);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
