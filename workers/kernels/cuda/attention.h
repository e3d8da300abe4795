#pragma once

#include "workers/kernels/cuda/launch.h"

// Attention without a matrix of scores in device memory: tiles of 64 queries by 64 keys. The maximum and the sum
// of a query's softmax run along with its tiles, and what was summed is scaled when the maximum grows (Milakov and
// Gimelshein, arXiv 1805.02867; Dao et al., FlashAttention, arXiv 2205.14135).
namespace bitwright::worker::cuda {

// As AttentionParts of device.h.
struct AttentionShape {
  float scale = 1;
  float soft_cap = 0;
  int window = 0;
  int reach = 0;
};

inline constexpr int64_t kMostHeadDim = 256;

// Device::Attend; heads of at most kMostHeadDim.
cudaError_t Attend(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                   const HeadRows& out, cudaStream_t stream);

// What the way back needs of a query's row: log Σ exp(score), and Σ p · (dout · v), which is out · dout.
struct QuerySums {
  float log_sum = 0;
  float along = 0;
};

// Computes `sums` [rows · heads], row by row, forward; then adds to the gradients from scores that are computed again,
// a block for 64 queries of a head (dq) or 64 keys of one (dk, then dv), each in the order of the other tiles.
cudaError_t AttendBack(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                       const HeadRows& dout, QuerySums* sums, const HeadRows& dq, const HeadRows& dk,
                       const HeadRows& dv, cudaStream_t stream);

// The first half of that.
cudaError_t SumQueries(const AttentionShape& shape, const HeadRows& q, const HeadRows& k, const HeadRows& v,
                       const HeadRows& dout, QuerySums* sums, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
