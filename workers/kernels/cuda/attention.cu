#include "workers/kernels/cuda/attention.h"

#include "workers/kernels/cuda/attention_scores.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr float kLowest = -1e38f;  // below every score

// Scores become weights relative to their rows' largest so far: shrink[h] is what earlier sums of the rows g + 8 h
// must be multiplied with.
struct RunningSoftmax {
  float top[2] = {kLowest, kLowest};
  float sum[2] = {};  // of this thread's columns

  template <typename Seen>
  __device__ void Take(const AttentionShape& shape, const Seen& seen, float (&p)[kGroups][4], float (&shrink)[2]) {
    float highest[2] = {top[0], top[1]};
#pragma unroll
    for (int n = 0; n < kGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        p[n][i] = ScoreOf(shape, p[n][i]);
        if (seen(n, i)) highest[i / 2] = fmaxf(highest[i / 2], p[n][i]);
      }
    }
#pragma unroll
    for (int h = 0; h < 2; ++h) {
      highest[h] = RowMaximumOf(highest[h]);
      shrink[h] = expf(top[h] - highest[h]);
      top[h] = highest[h];
      sum[h] *= shrink[h];
    }
#pragma unroll
    for (int n = 0; n < kGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        p[n][i] = seen(n, i) ? expf(p[n][i] - top[i / 2]) : 0.0f;
        sum[i / 2] += p[n][i];
      }
    }
  }
};

// out = the mean of the values by the softmax; or, with kSums, out holds dout and stays, and sums is filled.
template <int kSlices, bool kSums>
__global__ void __launch_bounds__(kTileThreads, BlocksFor(kSlices))
    AttendKernel(AttentionShape shape, HeadRows q, HeadRows k, HeadRows v, HeadRows out, QuerySums* sums) {
  TileMemory& memory = SharedTiles();
  const TilePlace place(shape, q.count, true);
  const int64_t shared = place.head / (q.count / k.count);
  const TilePlaceOfThread own;
  const HeadTile queries = TileOf(q, place.window_row, place.head, place.first, shape.window);
  float values[kSlices * kGroups][4] = {};
  RunningSoftmax softmax;
  for (int keys = FirstKeys(shape, place.first); keys <= place.first; keys += kTile) {
    float p[kGroups][4], shrink[2];
    MultiplyTiles(queries, TileOf(k, place.window_row, shared, keys, shape.window), memory, p);
    const auto seen = [&](int n, int i) {
      return Meet(shape, place.first + own.row + i / 2 * 8, keys + own.column + 8 * n + i % 2);
    };
    softmax.Take(shape, seen, p, shrink);
#pragma unroll
    for (int n = 0; n < kSlices * kGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) values[n][i] *= shrink[i / 2];
    }
    AddWeighted<kSlices>(p, TileOf(v, place.window_row, shared, keys, shape.window), memory, values);
  }
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const float all = RowSumOf(softmax.sum[h]);
    const int row = own.row + 8 * h;
    const bool within = row < place.rows;
    const int64_t at = place.window_row + place.first + row;
    float* to = within ? out.x.Row(at) + place.head * out.stride : nullptr;
    float along = 0;
#pragma unroll
    for (int n = 0; n < kSlices * kGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int dim = 8 * n + own.column + i;
        if (!within || dim >= v.dim) continue;
        if constexpr (kSums) {
          along += values[n][2 * h + i] * to[dim];
        } else {
          to[dim] = values[n][2 * h + i] / all;
        }
      }
    }
    if constexpr (kSums) {
      along = RowSumOf(along);
      if (within && own.column == 0) sums[at * q.count + place.head] = {softmax.top[h] + logf(all), along / all};
    }
  }
}

template <int kSlices, bool kSums>
cudaError_t Launch(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                   const HeadRows& out, QuerySums* sums, cudaStream_t stream) {
  const int64_t blocks = q.x.rows / shape.window * q.count * CeilDiv(shape.window, kTile);
  if (blocks == 0) return cudaSuccess;
  return LaunchTiles(AttendKernel<kSlices, kSums>, blocks, stream, shape, q, k, v, out, sums);
}

template <bool kSums>
cudaError_t LaunchFor(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                      const HeadRows& out, QuerySums* sums, cudaStream_t stream) {
  switch (CeilDiv(v.dim, kTile)) {
    case 1:
      return Launch<1, kSums>(shape, q, k, v, out, sums, stream);
    case 2:
      return Launch<2, kSums>(shape, q, k, v, out, sums, stream);
    case 3:
    case 4:
      return Launch<4, kSums>(shape, q, k, v, out, sums, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace

cudaError_t Attend(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                   const HeadRows& out, cudaStream_t stream) {
  return LaunchFor<false>(shape, q, k, v, out, nullptr, stream);
}

cudaError_t SumQueries(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                       const HeadRows& dout, QuerySums* sums, cudaStream_t stream) {
  return LaunchFor<true>(shape, q, k, v, dout, sums, stream);
}

}  // namespace bitwright::worker::cuda
