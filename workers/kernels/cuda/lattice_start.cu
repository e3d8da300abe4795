#include "workers/kernels/cuda/lattice_start.h"

#include "workers/kernels/cuda/octet.cuh"
#include "workers/kernels/cuda/stored.cuh"

// StartOnLattice of the reference (reference/lattice_start.cc).
namespace bitwright::worker::cuda {
namespace {

constexpr int kWarps = 8;

// A group of at most 32 columns in one warp, a lane for each.
template <int size>
struct Group {
  const OctetChoice<size>& choice;
  int columns;
  float w, h;  // zeros past the group

  struct Measure {
    float error;  // Σ h (w − q)² less what no choice changes
    float fit;    // the scale that fits best to what is chosen
  };
  __device__ Octet NearestTo(int begin, float inverse) const {
    const float x = __shfl_sync(kAllLanes, w, begin + Column()) * inverse;
    return choice.Nearest(x, __shfl_sync(kAllLanes, h, begin + Column()));
  }
  __device__ Measure MeasureScale(float scale) const {
    const float inverse = scale == 0 ? 0 : 1 / scale;
    float qw = 0, qq = 0;
    for (int begin = 0; begin < columns; begin += 8) {
      const Octet octet = NearestTo(begin, inverse);
      const bool mine = Lane() / 8 == begin / 8;
      qw = mine ? h * octet.number * w : qw;
      qq = mine ? h * octet.number * octet.number : qq;
    }
    qw = LaneSum(qw);
    qq = LaneSum(qq);
    return {scale * (scale * qq - 2 * qw), qw / qq};
  }

  // The best scale, not yet as stored.
  __device__ float FindScale(float most_number) const {
    const float extreme = LaneMax(fabsf(w));
    float best = 0, best_fit = 0, least = 3e38f;
    for (int k = 0; k < kLatticeFactors + kLatticeFits; ++k) {
      constexpr double kStep = (kMostLatticeFactor - kLeastLatticeFactor) / (kLatticeFactors - 1);
      const auto factor = static_cast<float>(kLeastLatticeFactor + kStep * k);
      const float scale = k < kLatticeFactors ? extreme / most_number * factor : extreme == 0 ? 0 : best_fit;
      const Measure measure = MeasureScale(scale);
      if (!(measure.error < least)) continue;
      least = measure.error;
      best = scale;
      best_fit = measure.fit;
    }
    return best;
  }
};

template <int size>
__device__ void StartSuper(const LatticeRows& rows, const OctetChoice<size>& choice, int64_t row, int64_t super,
                           const float* moment) {
  const int columns = static_cast<int>(rows.group), per = static_cast<int>(rows.super) / columns;
  const int64_t groups = rows.columns / rows.group, first = super * per;
  const auto load = [&](int g) {
    const int64_t column = (first + g) * columns + Lane();
    const bool inside = Lane() < columns;
    return Group<size>{choice, columns, inside ? rows.w[row * rows.stride + column] : 0,
                       inside ? moment[column * (rows.stride + 1)] : 0};
  };
  float most = 0;
  for (int g = 0; g < per; ++g) {
    const float found = load(g).FindScale(rows.lattice.most);
    if (Lane() == 0) rows.scale[row * groups + first + g] = found;
    most = fmaxf(most, found);
  }
  __syncwarp();
  const float d = StoredScale(ScaleType::kF16, most / rows.Multiple(static_cast<float>(rows.most_scale)));
  if (Lane() == 0) rows.supers[row * (rows.columns / rows.super) + super] = d;
  for (int g = 0; g < per; ++g) {
    const Group<size> group = load(g);
    const int64_t own = row * groups + first + g;
    const float multiple = d == 0 ? 0 : rows.scale[own] / d;
    const float nearest = roundf((multiple - rows.first_scale) / rows.scale_step);
    float best = 0, least = 3e38f;
    for (int change = -1; change <= 1; ++change) {
      const float sub = fminf(fmaxf(nearest + static_cast<float>(change), 0), static_cast<float>(rows.most_scale));
      const float error = group.MeasureScale(d * rows.Multiple(sub)).error;
      if (!(error < least)) continue;
      least = error;
      best = sub;
    }
    const float scale = __fmul_rn(d, rows.Multiple(best)), inverse = scale == 0 ? 0 : 1 / scale;
    for (int begin = 0; begin < columns; begin += 8) {
      const Octet octet = group.NearestTo(begin, inverse);
      const int64_t column = (first + g) * columns + begin, index = (row * rows.columns + column) / 8;
      if (Lane() < 8) rows.q[row * rows.stride + column + Lane()] = octet.number * scale;
      if (Lane() != 0) continue;
      rows.signs[index] = static_cast<uint8_t>(octet.signs);
      for (int p = 0; p < 8 / size; ++p) rows.points[index * (8 / size) + p] = static_cast<uint16_t>(octet.points[p]);
    }
    __syncwarp();
    if (Lane() == 0) rows.sub_scales[own] = best;
  }
}

// A warp for each super-block of a row.
template <int size>
__global__ void __launch_bounds__(kWarps* kWarp)
    StartRowsKernel(const __grid_constant__ LatticeRows rows, const float* moment) {
  extern __shared__ uint32_t numbers[];
  LoadShared(rows.lattice.numbers, int64_t{rows.lattice.count} * size, numbers);
  __syncthreads();
  const int64_t supers = rows.columns / rows.super;
  const int64_t index = int64_t{blockIdx.x} * kWarps + static_cast<int>(threadIdx.x) / kWarp;
  if (index >= rows.rows * supers) return;
  const OctetChoice<size> choice(rows.lattice, reinterpret_cast<const uint8_t*>(numbers));
  StartSuper<size>(rows, choice, index / supers, index % supers, moment);
}

}  // namespace

cudaError_t StartRows(const LatticeRows& rows, const float* moment, cudaStream_t stream) {
  const int64_t warps = rows.rows * (rows.columns / rows.super);
  if (warps == 0) return cudaSuccess;
  const auto kernel = rows.lattice.size == 8 ? StartRowsKernel<8> : StartRowsKernel<4>;
  kernel<<<static_cast<unsigned>(CeilDiv(warps, kWarps)), kWarps * kWarp,
           static_cast<size_t>(rows.lattice.count) * static_cast<size_t>(rows.lattice.size), stream>>>(rows, moment);
  return cudaGetLastError();
}

}  // namespace bitwright::worker::cuda
