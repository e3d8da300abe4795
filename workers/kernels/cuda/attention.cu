#include "workers/kernels/cuda/attention.h"

#include "workers/kernels/cuda/attention_scores.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr float kLowest = -1e38f;  // below every score

// Where `sums` is null: out = the mean of the values by the softmax. Else out holds dout and stays, and sums is filled.
template <int kRows, int kSlices, bool kSums>
__global__ void __launch_bounds__(kTileThreads<kRows>)
    AttendKernel(AttentionShape shape, HeadRows q, HeadRows k, HeadRows v, HeadRows out, QuerySums* sums) {
  __shared__ TileMemory memory;
  const TilePlace place(shape, q.count, true);
  const int64_t shared = place.head / (q.count / k.count);
  const int row = threadIdx.x / kLane * kRows, column = threadIdx.x % kLane * 4;
  const HeadTile queries = TileOf(q, place.window_row, place.head, place.first, shape.window);
  float values[kRows][4 * kSlices] = {}, top[kRows], sum[kRows] = {};
#pragma unroll
  for (int i = 0; i < kRows; ++i) top[i] = kLowest;
  for (int keys = FirstKeys(shape, place.first); keys <= place.first; keys += kTile) {
    float p[kRows][4];
    MultiplyTiles<kRows>(queries, TileOf(k, place.window_row, shared, keys, shape.window), memory, p);
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      bool seen[4];
      float highest = kLowest;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        seen[j] = Meet(shape, place.first + row + i, keys + column + j);
        p[i][j] = ScoreOf(shape, p[i][j]);
        if (seen[j]) highest = fmaxf(highest, p[i][j]);
      }
      highest = fmaxf(top[i], LaneMaximum(highest));
      const float shrink = expf(top[i] - highest);
      top[i] = highest;
      sum[i] *= shrink;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        p[i][j] = seen[j] ? expf(p[i][j] - highest) : 0.0f;
        sum[i] += p[i][j];
      }
#pragma unroll
      for (int c = 0; c < 4 * kSlices; ++c) values[i][c] *= shrink;
    }
    StoreWeights<kRows>(p, memory);
    AddWeighted<kRows, kSlices>(TileOf(v, place.window_row, shared, keys, shape.window), memory, values);
  }
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const float all = LaneSum(sum[i]);
    const int64_t at = place.window_row + place.first + row + i;
    const bool within = row + i < place.rows;
    float* to = within ? out.x.Row(at) + place.head * out.stride : nullptr;
    float along = 0;
#pragma unroll
    for (int c = 0; c < 4 * kSlices; ++c) {
      const int dim = c / 4 * kTile + column + c % 4;
      if (!within || dim >= v.dim) continue;
      if constexpr (kSums) {
        along += values[i][c] * to[dim];
      } else {
        to[dim] = values[i][c] / all;
      }
    }
    if constexpr (kSums) {
      along = LaneSum(along);
      if (within && column == 0) sums[at * q.count + place.head] = {top[i] + logf(all), along / all};
    }
  }
}

template <int kRows, int kSlices, bool kSums>
cudaError_t Launch(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                   const HeadRows& out, QuerySums* sums, cudaStream_t stream) {
  const int64_t blocks = q.x.rows / shape.window * q.count * CeilDiv(shape.window, kTile);
  if (blocks == 0) return cudaSuccess;
  AttendKernel<kRows, kSlices, kSums>
      <<<static_cast<unsigned>(blocks), kTileThreads<kRows>, 0, stream>>>(shape, q, k, v, out, sums);
  return cudaGetLastError();
}

template <bool kSums>
cudaError_t LaunchFor(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                      const HeadRows& out, QuerySums* sums, cudaStream_t stream) {
  switch (CeilDiv(v.dim, kTile)) {
    case 1:
      return Launch<8, 1, kSums>(shape, q, k, v, out, sums, stream);
    case 2:
      return Launch<8, 2, kSums>(shape, q, k, v, out, sums, stream);
    case 3:
      return Launch<4, 3, kSums>(shape, q, k, v, out, sums, stream);
    case 4:
      return Launch<4, 4, kSums>(shape, q, k, v, out, sums, stream);
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
