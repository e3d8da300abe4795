#include "workers/kernels/cuda/lattice_panel.h"

#include "workers/kernels/cuda/octet.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kOctets = kPanel / 8;

// Shared memory: M within the panel above its diagonal, zeros elsewhere; the panel's forms; the points' numbers; of
// each row its sums.
struct Shared {
  float m[kPanel * kPanel];
  OctetForms forms[kOctets];
  float sums[kWarps][kPanel];
};

// What GPTQ in its original form sees when it reaches the octet: w + x, where x M_JJ = a_J.
__device__ float Standing(const float* m, int octet, float w, float sum) {
  float x = sum;
  for (int i = 0; i < 8; ++i) {
    const float spread = __shfl_sync(kAllLanes, x, i);
    x = fmaf(-spread, m[(8 * octet + i) * kPanel + 8 * octet + Column()], x);
  }
  return w + x;
}

template <int size>
__global__ void __launch_bounds__(kWarps* kWarp, 2)
    RoundPanelKernel(const __grid_constant__ LatticeRows rows, const __grid_constant__ LdlqPanel panel,
                     const OctetForms* forms, const float* sums, float* errors) {
  extern __shared__ uint32_t memory[];
  auto& shared = *reinterpret_cast<Shared*>(memory);
  auto* numbers = reinterpret_cast<uint8_t*>(&shared + 1);
  LoadShared(rows.lattice.numbers, int64_t{rows.lattice.count} * size, numbers);
  LoadShared(forms + panel.begin / 8, static_cast<int64_t>(sizeof(OctetForms)) * (panel.width / 8), shared.forms);
  for (int i = static_cast<int>(threadIdx.x); i < kPanel * kPanel; i += static_cast<int>(blockDim.x)) {
    const int row = i / kPanel, column = i % kPanel;
    shared.m[i] = column > row ? panel.m[(panel.begin + row) * rows.stride + panel.begin + column] : 0;
  }
  __syncthreads();
  const int lane = Lane(), warp = static_cast<int>(threadIdx.x) / kWarp;
  const int64_t row = int64_t{blockIdx.x} * kWarps + warp;
  if (row >= rows.rows) return;
  const OctetChoice<size> choice(rows.lattice, numbers);
  float* own = shared.sums[warp];
  const int64_t at = row * rows.stride + panel.begin;
  for (int j = lane; j < kPanel; j += kWarp) own[j] = sums[at + j];
  __syncwarp();
  for (int begin = 0; begin < panel.width; begin += 8) {
    const float w = rows.w[at + begin + Column()];
    const float scale = rows.scale[(row * rows.columns + panel.begin + begin) / rows.group];
    const float standing = Standing(shared.m, begin / 8, w, own[begin + Column()]);
    const Octet octet = choice.Choose(shared.forms[begin / 8], standing * (scale == 0 ? 0 : 1 / scale));
    const float q = octet.number * scale, error = w - q;
    if (lane < 8) {
      rows.q[at + begin + lane] = q;
      errors[row * kPanel + begin + lane] = error;
    }
    if (lane == 0) {
      const int64_t index = (row * rows.columns + panel.begin + begin) / 8;
      rows.signs[index] = static_cast<uint8_t>(octet.signs);
      for (int p = 0; p < 8 / size; ++p) rows.points[index * (8 / size) + p] = static_cast<uint16_t>(octet.points[p]);
    }
    __syncwarp();
    float of[8];
    for (int j = 0; j < 8; ++j) of[j] = __shfl_sync(kAllLanes, error, j);
    for (int l = begin + 8 + lane; l < panel.width; l += kWarp) {
      float sum = own[l];
#pragma unroll
      for (int j = 0; j < 8; ++j) sum = fmaf(of[j], shared.m[(begin + j) * kPanel + l], sum);
      own[l] = sum;
    }
    __syncwarp();
  }
  for (int j = panel.width + lane; j < kPanel; j += kWarp) errors[row * kPanel + j] = 0;
}

}  // namespace

cudaError_t RoundPanelOnLattice(const LatticeRows& rows, const LdlqPanel& panel, const OctetForms* forms,
                                const float* sums, float* errors, cudaStream_t stream) {
  if (rows.rows == 0) return cudaSuccess;
  const auto kernel = rows.lattice.size == 8 ? RoundPanelKernel<8> : RoundPanelKernel<4>;
  const int bytes = static_cast<int>(sizeof(Shared)) + rows.lattice.count * rows.lattice.size;
  const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
  if (error != cudaSuccess) return error;
  kernel<<<static_cast<unsigned>(CeilDiv(rows.rows, kWarps)), kWarps * kWarp, static_cast<size_t>(bytes), stream>>>(
      rows, panel, forms, sums, errors);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
