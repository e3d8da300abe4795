#pragma once

#include "workers/kernels/cuda/lattice_rows.h"
#include "workers/kernels/cuda/warp.cuh"
#include "workers/kernels/lattice_search.h"

// The choice of an octet's points and signs (reference/lattice_octet.h) by one warp: lanes share out the points. What
// belongs to a column is held by the lanes whose number is that column's, modulo eight.
namespace bitwright::worker::cuda {

__device__ inline int Column() { return Lane() % 8; }

struct Octet {
  float number;    // of the lane's column, with its sign, counted in scales
  unsigned signs;  // bit i: that of column i is negative
  int points[2];
};

// points of `size` columns: 4 or 8
template <int size>
class OctetChoice {
 public:
  // numbers: those of `points` in shared memory
  __device__ OctetChoice(const LatticePoints& points, const uint8_t* numbers)
      : numbers_(numbers), count_(points.count), even_(points.even_signs) {
    int i = 0, rest = Lane();
    while (i < 7 && rest >= 7 - i) rest -= 7 - i++;
    first_ = i < 7 ? i : -1;
    second_ = i + 1 + rest;
  }

  // The nearest to x, an error of the lane's column weighed with h.
  __device__ Octet Nearest(float x, float h) const {
    Octet octet{};
    octet.signs = Signs(x, h);
    const float b = h * x * Sign(octet.signs, Column());
#pragma unroll
    for (int part = 0; part < 8 / size; ++part) {
      float weights[size], linear[size];
      for (int i = 0; i < size; ++i) {
        weights[i] = __shfl_sync(kAllLanes, h, part * size + i);
        linear[i] = -2 * __shfl_sync(kAllLanes, b, part * size + i);
      }
      SetPoint(part, Least([&](const float(&v)[size]) {
                 float cost = 0;
                 for (int i = 0; i < size; ++i) cost = fmaf(v[i], fmaf(weights[i], v[i], linear[i]), cost);
                 return cost;
               }),
               octet);
    }
    return octet;
  }

  // A choice of small (x − numbers)ᵀ S (x − numbers). form: in shared memory.
  __device__ Octet Choose(const OctetForms& form, float x) const {
    Octet octet{};
    octet.signs = Signs(x, form.s[9 * Column()]);
    for (int round = 0; round < kOctetRounds; ++round) {
      if constexpr (size == 8) {
        SearchPoint(0, form.s, 8, Row(form.s + 8 * Column(), 8, x), octet);
      } else {
        if (round == 0) {
          SearchPoint(0, form.relaxed, 4, Row(form.relaxed + 4 * (Column() % 4), 4, x), octet);
        } else {
          SearchHalf(0, form, x, octet);
        }
        SearchHalf(1, form, x, octet);
      }
      int flips = 0;
      while (flips < kOctetFlips && Flip(form, x, octet)) ++flips;
      if (size == 8 && flips == 0) break;  // the same signs would find the same point again
    }
    return octet;
  }

  // A row of a form times x.
  __device__ static float Row(const float* row, int count, float x) {
    float sum = 0;
    for (int j = 0; j < count; ++j) sum = fmaf(row[j], __shfl_sync(kAllLanes, x, j), sum);
    return sum;
  }

 private:
  __device__ static float Sign(unsigned signs, int i) { return (signs >> i & 1) != 0 ? -1.0f : 1.0f; }

  // Those of x; where they must be even and are odd, that of least h|x| changes.
  __device__ unsigned Signs(float x, float h) const {
    const unsigned signs = __ballot_sync(kAllLanes, x < 0) & 0xff;
    const LeastOf least = LaneLeast(h * fabsf(x), Column(), 3e38f, 8);
    return even_ && __popc(signs) % 2 != 0 ? signs ^ 1u << max(least.index, 0) : signs;
  }

  __device__ void SetPoint(int part, int point, Octet& octet) const {
    octet.points[part] = point;
    if (Column() / size != part) return;
    octet.number = static_cast<float>(numbers_[point * size + Column() % size]) * Sign(octet.signs, Column());
  }

  // The point of least cost(its numbers); of several the first.
  template <typename Cost>
  __device__ int Least(const Cost& cost) const {
    LeastOf own{3e38f, -1};
    for (int p = Lane(); p < count_; p += kWarp) {
      const auto* words = reinterpret_cast<const uint32_t*>(numbers_ + p * size);
      float v[size];
#pragma unroll
      for (int i = 0; i < size; ++i) v[i] = static_cast<float>(words[i / 4] >> (i % 4 * 8) & 0xff);
      const float c = cost(v);
      if (c < own.cost) own = {c, p};
    }
    return max(LaneLeast(own.cost, own.index, 3e38f).index, 0);
  }

  // One point: least vᵀ A v − 2 bᵀ v, v its numbers with their signs; a [size, size], rows `stride` apart.
  __device__ void SearchPoint(int part, const float* a, int stride, float b, Octet& octet) const {
    float form[size][size], linear[size];
#pragma unroll
    for (int i = 0; i < size; ++i) {
      const float sign = Sign(octet.signs, part * size + i);
      linear[i] = -2 * sign * __shfl_sync(kAllLanes, b, part * size + i);
#pragma unroll
      for (int j = i; j < size; ++j) {
        form[i][j] = (i == j ? 1 : 2) * sign * Sign(octet.signs, part * size + j) * a[i * stride + j];
      }
    }
    SetPoint(part, Least([&](const float(&v)[size]) {
               float cost = 0;
#pragma unroll
               for (int i = 0; i < size; ++i) {
                 float sum = linear[i];
#pragma unroll
                 for (int j = i; j < size; ++j) sum = fmaf(form[i][j], v[j], sum);
                 cost = fmaf(v[i], sum, cost);
               }
               return cost;
             }),
             octet);
  }

  // One of two points, the other one standing.
  __device__ void SearchHalf(int part, const OctetForms& form, float x, Octet& octet) const {
    const float miss = Column() / 4 == part ? x : x - octet.number;
    SearchPoint(part, form.s + 36 * part, 8, Row(form.s + 8 * Column(), 8, miss), octet);
  }

  // The change of one sign, or of two where minuses must be even, that lowers the cost most, if any does. A lane for
  // each pair.
  __device__ bool Flip(const OctetForms& form, float x, Octet& octet) const {
    const float* row = form.s + 8 * Column();
    const float pull = fmaf(octet.number, row[Column()], Row(row, 8, x - octet.number));
    const float own = 4 * octet.number * pull;
    unsigned mask = 0;
    if (even_) {
      const int i = max(first_, 0), j = first_ < 0 ? 0 : second_;
      const float both = __shfl_sync(kAllLanes, own, i) + __shfl_sync(kAllLanes, own, j);
      const float product = __shfl_sync(kAllLanes, octet.number, i) * __shfl_sync(kAllLanes, octet.number, j);
      const float change = first_ < 0 ? 0 : both + 8 * product * form.s[8 * i + j];
      const int best = LaneLeast(change, Lane(), 0).index;
      const int one = __shfl_sync(kAllLanes, i, max(best, 0)), other = __shfl_sync(kAllLanes, j, max(best, 0));
      if (best >= 0) mask = 1u << one | 1u << other;
    } else {
      const int best = LaneLeast(own, Column(), 0, 8).index;
      if (best >= 0) mask = 1u << best;
    }
    octet.signs ^= mask;
    if ((mask >> Column() & 1) != 0) octet.number = -octet.number;
    return mask != 0;
  }

  const uint8_t* numbers_;
  const int count_;
  const bool even_;
  int first_, second_;  // the lane's pair of columns; first −1: none
};

// Copies `bytes`, a multiple of 4, by all threads of the block.
__device__ inline void LoadShared(const void* from, int64_t bytes, void* to) {
  for (int64_t i = threadIdx.x; i < bytes / 4; i += blockDim.x) {
    static_cast<uint32_t*>(to)[i] = static_cast<const uint32_t*>(from)[i];
  }
}

}  // namespace bitwright::worker::cuda
