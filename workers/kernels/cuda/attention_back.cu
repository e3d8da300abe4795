#include "workers/kernels/cuda/attention.h"
#include "workers/kernels/cuda/attention_scores.cuh"

namespace bitwright::worker::cuda {
namespace {

// Adds a thread's part to the tile of gradients.
template <int kSlices>
__device__ void AddTo(const HeadRows& heads, const TilePlace& place, const float (&part)[kSlices * kGroups][4]) {
  const TilePlaceOfThread own;
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int row = own.row + 8 * h;
    if (row >= place.rows) return;
    float* to = heads.x.Row(place.window_row + place.first + row) + place.head * heads.stride;
#pragma unroll
    for (int n = 0; n < kSlices * kGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const int dim = 8 * n + own.column + i;
        if (dim < heads.dim) to[dim] += part[n][2 * h + i];
      }
    }
  }
}

// With p the softmax of a query's scores: dproduct = p · (dp − Σ p dp) · slope.
struct Weight {
  float p;
  float dproduct;
};
__device__ Weight WeightOf(const AttentionShape& shape, float product, float dp, const QuerySums& sums, int query,
                           int key) {
  if (!Meet(shape, query, key)) return {0, 0};
  const float score = ScoreOf(shape, product), p = expf(score - sums.log_sum);
  return {p, p * (dp - sums.along) * ScoreSlope(shape, score)};
}

template <int kSlices>
__global__ void __launch_bounds__(kTileThreads, kSlices == 1 ? 3 : 2)
    QueryBackKernel(AttentionShape shape, HeadRows q, HeadRows k, HeadRows v, HeadRows dout, const QuerySums* sums,
                    HeadRows dq) {
  TileMemory& memory = SharedTiles();
  const TilePlace place(shape, q.count, true);
  const int64_t shared = place.head / (q.count / k.count);
  const TilePlaceOfThread own;
  const HeadTile queries = TileOf(q, place.window_row, place.head, place.first, shape.window);
  const HeadTile given = TileOf(dout, place.window_row, place.head, place.first, shape.window);
  QuerySums of_rows[2];
#pragma unroll
  for (int h = 0; h < 2; ++h) {
    const int64_t at = place.window_row + place.first + min(own.row + 8 * h, place.rows - 1);
    of_rows[h] = sums[at * q.count + place.head];
  }
  float gradient[kSlices * kGroups][4] = {};
  for (int keys = FirstKeys(shape, place.first); keys <= place.first; keys += kTile) {
    const HeadTile key_tile = TileOf(k, place.window_row, shared, keys, shape.window);
    float products[kGroups][4], dp[kGroups][4];
    MultiplyTiles(queries, key_tile, memory, products);
    MultiplyTiles(given, TileOf(v, place.window_row, shared, keys, shape.window), memory, dp);
#pragma unroll
    for (int n = 0; n < kGroups; ++n) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        dp[n][i] = WeightOf(shape, products[n][i], dp[n][i], of_rows[i / 2], place.first + own.row + i / 2 * 8,
                            keys + own.column + 8 * n + i % 2)
                       .dproduct;
      }
    }
    AddWeighted<kSlices>(dp, key_tile, memory, gradient);
  }
  AddTo<kSlices>(dq, place, gradient);
}

// Rows are keys here, columns queries. With kValues `gradient` is dv, else dk.
template <int kSlices, bool kValues>
__global__ void __launch_bounds__(kTileThreads, BlocksFor(kSlices))
    KeyBackKernel(AttentionShape shape, HeadRows q, HeadRows k, HeadRows v, HeadRows dout, const QuerySums* sums,
                  HeadRows gradient) {
  TileMemory& memory = SharedTiles();
  const TilePlace place(shape, k.count, false);
  const int sharing = static_cast<int>(q.count / k.count);
  const TilePlaceOfThread own;
  const HeadTile keys = TileOf(k, place.window_row, place.head, place.first, shape.window);
  const HeadTile key_values = TileOf(v, place.window_row, place.head, place.first, shape.window);
  const int end = shape.reach == 0 ? shape.window : min(shape.window, place.first + kTile - 1 + shape.reach);
  float all[kSlices * kGroups][4] = {};
  for (int head = place.head * sharing; head < (place.head + 1) * sharing; ++head) {
    for (int first = place.first; first < end; first += kTile) {
      const HeadTile queries = TileOf(q, place.window_row, head, first, shape.window);
      const HeadTile given = TileOf(dout, place.window_row, head, first, shape.window);
      float p[kGroups][4], dp[kGroups][4] = {};
      MultiplyTiles(keys, queries, memory, p);
      if constexpr (!kValues) MultiplyTiles(key_values, given, memory, dp);
#pragma unroll
      for (int n = 0; n < kGroups; ++n) {
#pragma unroll
        for (int i = 0; i < 4; ++i) {
          const int query = first + own.column + 8 * n + i % 2;
          const QuerySums of_query = sums[(place.window_row + min(query, shape.window - 1)) * q.count + head];
          const Weight weight = WeightOf(shape, p[n][i], dp[n][i], of_query, query, place.first + own.row + i / 2 * 8);
          p[n][i] = kValues ? weight.p : weight.dproduct;
        }
      }
      AddWeighted<kSlices>(p, kValues ? given : queries, memory, all);
    }
  }
  AddTo<kSlices>(gradient, place, all);
}

template <int kSlices>
cudaError_t Launch(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                   const HeadRows& dout, const QuerySums* sums, const HeadRows& dq, const HeadRows& dk,
                   const HeadRows& dv, cudaStream_t stream) {
  const int64_t tiles = q.x.rows / shape.window * CeilDiv(shape.window, kTile);
  if (tiles == 0) return cudaSuccess;
  cudaError_t error = LaunchTiles(QueryBackKernel<kSlices>, tiles * q.count, stream, shape, q, k, v, dout, sums, dq);
  if (error != cudaSuccess) return error;
  error = LaunchTiles(KeyBackKernel<kSlices, false>, tiles * k.count, stream, shape, q, k, v, dout, sums, dk);
  if (error != cudaSuccess) return error;
  return LaunchTiles(KeyBackKernel<kSlices, true>, tiles * k.count, stream, shape, q, k, v, dout, sums, dv);
}

}  // namespace

cudaError_t AttendBack(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                       const HeadRows& dout, QuerySums* sums, const HeadRows& dq, const HeadRows& dk,
                       const HeadRows& dv, cudaStream_t stream) {
  const cudaError_t error = SumQueries(shape, q, k, v, dout, sums, stream);
  if (error != cudaSuccess) return error;
  switch (CeilDiv(q.dim > v.dim ? q.dim : v.dim, kTile)) {
    case 1:
      return Launch<1>(shape, q, k, v, dout, sums, dq, dk, dv, stream);
    case 2:
      return Launch<2>(shape, q, k, v, dout, sums, dq, dk, dv, stream);
    case 3:
    case 4:
      return Launch<4>(shape, q, k, v, dout, sums, dq, dk, dv, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace bitwright::worker::cuda
