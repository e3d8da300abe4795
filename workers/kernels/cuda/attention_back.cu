#include "workers/kernels/cuda/attention.h"
#include "workers/kernels/cuda/attention_scores.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kRows = 4;
constexpr int kBlock = kTileThreads<kRows>;

// Adds a thread's part to the tile of gradients.
template <int kSlices>
__device__ void AddTo(const HeadRows& heads, const TilePlace& place, const float (&part)[kRows][4 * kSlices]) {
  const int row = threadIdx.x / kLane * kRows, column = threadIdx.x % kLane * 4;
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    if (row + i >= place.rows) return;
    float* to = heads.x.Row(place.window_row + place.first + row + i) + place.head * heads.stride;
#pragma unroll
    for (int c = 0; c < 4 * kSlices; ++c) {
      const int dim = c / 4 * kTile + column + c % 4;
      if (dim < heads.dim) to[dim] += part[i][c];
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
__global__ void __launch_bounds__(kBlock) QueryBackKernel(AttentionShape shape, HeadRows q, HeadRows k, HeadRows v,
                                                          HeadRows dout, const QuerySums* sums, HeadRows dq) {
  __shared__ TileMemory memory;
  const TilePlace place(shape, q.count, true);
  const int64_t shared = place.head / (q.count / k.count);
  const int row = threadIdx.x / kLane * kRows, column = threadIdx.x % kLane * 4;
  const HeadTile queries = TileOf(q, place.window_row, place.head, place.first, shape.window);
  const HeadTile given = TileOf(dout, place.window_row, place.head, place.first, shape.window);
  QuerySums own[kRows];
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const int64_t at = place.window_row + place.first + min(row + i, place.rows - 1);
    own[i] = sums[at * q.count + place.head];
  }
  float gradient[kRows][4 * kSlices] = {};
  for (int keys = FirstKeys(shape, place.first); keys <= place.first; keys += kTile) {
    const HeadTile key_tile = TileOf(k, place.window_row, shared, keys, shape.window);
    float products[kRows][4], dp[kRows][4];
    MultiplyTiles<kRows>(queries, key_tile, memory, products);
    MultiplyTiles<kRows>(given, TileOf(v, place.window_row, shared, keys, shape.window), memory, dp);
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        dp[i][j] = WeightOf(shape, products[i][j], dp[i][j], own[i], place.first + row + i, keys + column + j).dproduct;
      }
    }
    StoreWeights<kRows>(dp, memory);
    AddWeighted<kRows, kSlices>(key_tile, memory, gradient);
  }
  AddTo<kSlices>(dq, place, gradient);
}

// Rows are keys here, columns queries.
template <int kSlices>
__global__ void __launch_bounds__(kBlock)
    KeyBackKernel(AttentionShape shape, HeadRows q, HeadRows k, HeadRows v, HeadRows dout, const QuerySums* sums,
                  HeadRows dk, HeadRows dv) {
  __shared__ TileMemory memory;
  const TilePlace place(shape, k.count, false);
  const int sharing = static_cast<int>(q.count / k.count);
  const int row = threadIdx.x / kLane * kRows, column = threadIdx.x % kLane * 4;
  const HeadTile keys = TileOf(k, place.window_row, place.head, place.first, shape.window);
  const HeadTile key_values = TileOf(v, place.window_row, place.head, place.first, shape.window);
  const int end = shape.reach == 0 ? shape.window : min(shape.window, place.first + kTile - 1 + shape.reach);
  float of_keys[kRows][4 * kSlices] = {}, of_values[kRows][4 * kSlices] = {};
  for (int head = place.head * sharing; head < (place.head + 1) * sharing; ++head) {
    for (int first = place.first; first < end; first += kTile) {
      const HeadTile queries = TileOf(q, place.window_row, head, first, shape.window);
      const HeadTile given = TileOf(dout, place.window_row, head, first, shape.window);
      float p[kRows][4], dp[kRows][4];
      MultiplyTiles<kRows>(keys, queries, memory, p);
      MultiplyTiles<kRows>(key_values, given, memory, dp);
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const int query = first + column + j;
        const int64_t at = place.window_row + min(query, shape.window - 1);
        const QuerySums own = sums[at * q.count + head];
#pragma unroll
        for (int i = 0; i < kRows; ++i) {
          const Weight weight = WeightOf(shape, p[i][j], dp[i][j], own, query, place.first + row + i);
          p[i][j] = weight.p;
          dp[i][j] = weight.dproduct;
        }
      }
      StoreWeights<kRows>(p, memory);
      AddWeighted<kRows, kSlices>(given, memory, of_values);
      StoreWeights<kRows>(dp, memory);
      AddWeighted<kRows, kSlices>(queries, memory, of_keys);
    }
  }
  AddTo<kSlices>(dk, place, of_keys);
  AddTo<kSlices>(dv, place, of_values);
}

template <int kSlices>
cudaError_t Launch(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                   const HeadRows& dout, const QuerySums* sums, const HeadRows& dq, const HeadRows& dk,
                   const HeadRows& dv, cudaStream_t stream) {
  const int64_t tiles = q.x.rows / shape.window * CeilDiv(shape.window, kTile);
  if (tiles == 0) return cudaSuccess;
  QueryBackKernel<kSlices>
      <<<static_cast<unsigned>(tiles * q.count), kBlock, 0, stream>>>(shape, q, k, v, dout, sums, dq);
  KeyBackKernel<kSlices>
      <<<static_cast<unsigned>(tiles * k.count), kBlock, 0, stream>>>(shape, q, k, v, dout, sums, dk, dv);
  return cudaGetLastError();
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
      return Launch<3>(shape, q, k, v, dout, sums, dq, dk, dv, stream);
    case 4:
      return Launch<4>(shape, q, k, v, dout, sums, dq, dk, dv, stream);
    default:
      return cudaErrorInvalidValue;
  }
}

}  // namespace bitwright::worker::cuda
