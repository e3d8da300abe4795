#include "workers/kernels/cuda/norm.h"

#include "workers/kernels/cuda/grid.cuh"
#include "workers/kernels/cuda/sums.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int64_t kLongHead = 512;  // a longer head takes a block, a shorter one a warp
constexpr int64_t kOwnRows = 64;    // whose gradients are summed before they are added up

__device__ float* HeadOf(const HeadRows& heads, int64_t index) {
  const unsigned count = static_cast<unsigned>(heads.count), at = static_cast<unsigned>(index);
  return heads.x.Row(at / count) + at % count * heads.stride;
}

template <int kGroup>
__device__ int64_t HeadIndex() {
  return int64_t{blockIdx.x} * (kThreads / kGroup) + threadIdx.x / kGroup;
}

template <int kGroup>
__global__ void NormKernel(HeadRows x, NormShape norm, HeadRows out) {
  const int64_t index = HeadIndex<kGroup>();
  if (index >= x.x.rows * x.count) return;
  const float* from = HeadOf(x, index);
  float* to = HeadOf(out, index);
  const int lane = threadIdx.x % kGroup, dim = static_cast<int>(x.dim);
  float mean = 0;
  if (norm.centered) {
    float sum = 0;
#pragma unroll 4
    for (int i = lane; i < dim; i += kGroup) sum += from[i];
    mean = GroupSum<kGroup>(sum) / static_cast<float>(dim);
  }
  float squares = 0;
#pragma unroll 8
  for (int i = lane; i < dim; i += kGroup) {
    const float value = from[i] - mean;
    squares += value * value;
  }
  const float scale = 1.0f / sqrtf(GroupSum<kGroup>(squares) / static_cast<float>(dim) + norm.eps);
#pragma unroll 4
  for (int i = lane; i < dim; i += kGroup) {
    const float normed = (from[i] - mean) * scale * norm.weight[i];
    to[i] = norm.centered && norm.bias != nullptr ? normed + norm.bias[i] : normed;
  }
}

// With g = dy · weight: dx += scale · (g − x̂ · mean(g x̂)), and less scale · mean(g) where it is centered.
template <int kGroup>
__global__ void NormBackKernel(HeadRows x, NormShape norm, HeadRows dy, HeadRows dx, NormStatistics* statistics) {
  const int64_t index = HeadIndex<kGroup>();
  if (index >= x.x.rows * x.count) return;
  const float* from = HeadOf(x, index);
  const float* given = HeadOf(dy, index);
  float* to = HeadOf(dx, index);
  const int lane = threadIdx.x % kGroup, dim = static_cast<int>(x.dim);
  const double n = dim;
  NormStatistics own;
  if (norm.centered) {
    double sum = 0;
    for (int i = lane; i < dim; i += kGroup) sum += from[i];
    own.mean = GroupSum<kGroup>(sum) / n;
  }
  double squares = 0, along = 0, sum = 0;
#pragma unroll 8
  for (int i = lane; i < dim; i += kGroup) {
    const double value = from[i] - own.mean, g = double{given[i]} * norm.weight[i];
    squares += value * value;
    along += g * value;
    sum += g;
  }
  own.scale = 1 / sqrt(GroupSum<kGroup>(squares) / n + norm.eps);
  along = GroupSum<kGroup>(along) * own.scale / n;
  sum = norm.centered ? GroupSum<kGroup>(sum) / n : 0;
#pragma unroll 4
  for (int i = lane; i < dim; i += kGroup) {
    const double normed = (from[i] - own.mean) * own.scale;
    to[i] += static_cast<float>(own.scale * (double{given[i]} * norm.weight[i] - sum - normed * along));
  }
  if (lane == 0) statistics[index] = own;
}

}  // namespace

cudaError_t Norm(const HeadRows& x, const NormShape& norm, const HeadRows& out, cudaStream_t stream) {
  const int64_t heads = x.x.rows * x.count;
  if (heads * x.dim == 0) return cudaSuccess;
  if (x.dim > kLongHead) {
    NormKernel<kThreads><<<static_cast<unsigned>(heads), kThreads, 0, stream>>>(x, norm, out);
  } else {
    const unsigned blocks = static_cast<unsigned>(CeilDiv(heads, kThreads / kWarp));
    NormKernel<kWarp><<<blocks, kThreads, 0, stream>>>(x, norm, out);
  }
  return cudaGetLastError();
}

cudaError_t NormBack(const HeadRows& x, const NormShape& norm, const HeadRows& dy, const HeadRows& dx,
                     NormStatistics* statistics, cudaStream_t stream) {
  const int64_t heads = x.x.rows * x.count;
  if (heads * x.dim == 0) return cudaSuccess;
  if (x.dim > kLongHead) {
    NormBackKernel<kThreads><<<static_cast<unsigned>(heads), kThreads, 0, stream>>>(x, norm, dy, dx, statistics);
  } else {
    const unsigned blocks = static_cast<unsigned>(CeilDiv(heads, kThreads / kWarp));
    NormBackKernel<kWarp><<<blocks, kThreads, 0, stream>>>(x, norm, dy, dx, statistics);
  }
  return cudaGetLastError();
}

int64_t OwnParts(int64_t rows) { return CeilDiv(rows, kOwnRows); }

cudaError_t NormBackOwn(const HeadRows& x, const NormStatistics* statistics, const HeadRows& dy, double* partial,
                        float* dweight, float* dbias, cudaStream_t stream) {
  const int64_t parts = OwnParts(x.x.rows), dim = x.dim;
  double* of_bias = partial + parts * dim;
  const cudaError_t error = ForElements(parts, dim, stream, [=] __device__(int64_t part, int64_t i) {
    const int64_t begin = part * kOwnRows * x.count, end = min(begin + kOwnRows * x.count, x.x.rows * x.count);
    double weight = 0, bias = 0;
    for (int64_t head = begin; head < end; ++head) {
      const double given = HeadOf(dy, head)[i];
      weight += given * (HeadOf(x, head)[i] - statistics[head].mean) * statistics[head].scale;
      bias += given;
    }
    partial[part * dim + i] = weight;
    of_bias[part * dim + i] = bias;
  });
  if (error != cudaSuccess) return error;
  return ForElements(1, dim, stream, [=] __device__(int64_t, int64_t i) {
    double weight = 0, bias = 0;
    for (int64_t part = 0; part < parts; ++part) {
      weight += partial[part * dim + i];
      bias += of_bias[part * dim + i];
    }
    if (dweight != nullptr) dweight[i] += static_cast<float>(weight);
    if (dbias != nullptr) dbias[i] += static_cast<float>(bias);
  });
}

}  // namespace bitwright::worker::cuda
