#include "workers/kernels/cuda/widen.h"

#include <cuda_fp16.h>

#include "workers/kernels/cuda/grid.cuh"

namespace bitwright::worker::cuda {
namespace {

constexpr int kTurn = 32;     // side of the tile by which a matrix is transposed
constexpr int kTurnRows = 8;  // of it that a block's threads take at a time

struct F32 {
  using Stored = float;
  static __device__ float Of(float stored) { return stored; }
};
struct F16 {
  using Stored = __half;
  static __device__ float Of(__half stored) { return __half2float(stored); }
};
struct Bf16 {
  using Stored = uint16_t;
  static __device__ float Of(uint16_t stored) { return __uint_as_float(static_cast<uint32_t>(stored) << 16); }
};

// Calls work(F32{}) or another; cudaErrorInvalidValue for what a model's weights cannot be.
template <typename Work>
cudaError_t ForType(DType type, const Work& work) {
  switch (type) {
    case DType::kF32:
      return work(F32{});
    case DType::kF16:
      return work(F16{});
    case DType::kBF16:
      return work(Bf16{});
    default:
      return cudaErrorInvalidValue;
  }
}

template <typename Type>
cudaError_t WidenAs(const typename Type::Stored* stored, float factor, bool add, const Wide& to, cudaStream_t stream) {
  return ForElements(to.rows, to.columns, stream, [=] __device__(int64_t r, int64_t c) {
    const float value = __fmul_rn(factor, Type::Of(stored[r * to.columns + c]));
    float* at = to.Row(r) + c;
    *at = add ? __fadd_rn(*at, value) : value;
  });
}

// A block to a tile of `to`, of which `tiles` lie side by side.
template <typename Type>
__global__ void TransposeKernel(const typename Type::Stored* stored, int64_t tiles, Wide to) {
  __shared__ float tile[kTurn][kTurn + 1];
  const int64_t first_row = blockIdx.x / tiles * kTurn, first_column = blockIdx.x % tiles * kTurn;
  for (int i = threadIdx.y; i < kTurn; i += kTurnRows) {
    const int64_t row = first_row + threadIdx.x, column = first_column + i;
    if (row < to.rows && column < to.columns) tile[i][threadIdx.x] = Type::Of(stored[column * to.rows + row]);
  }
  __syncthreads();
  for (int i = threadIdx.y; i < kTurn; i += kTurnRows) {
    const int64_t row = first_row + i, column = first_column + threadIdx.x;
    if (row < to.rows && column < to.columns) to.Row(row)[column] = tile[threadIdx.x][i];
  }
}

}  // namespace

cudaError_t Widen(const void* stored, DType type, float factor, bool add, const Wide& to, cudaStream_t stream) {
  return ForType(type, [&](auto as) {
    using Type = decltype(as);
    return WidenAs<Type>(static_cast<const typename Type::Stored*>(stored), factor, add, to, stream);
  });
}

cudaError_t WidenTransposed(const void* stored, DType type, const Wide& to, cudaStream_t stream) {
  const int64_t tiles = CeilDiv(to.columns, kTurn), blocks = CeilDiv(to.rows, kTurn) * tiles;
  if (blocks == 0) return cudaSuccess;
  return ForType(type, [&](auto as) {
    using Type = decltype(as);
    TransposeKernel<Type><<<static_cast<unsigned>(blocks), dim3(kTurn, kTurnRows), 0, stream>>>(
        static_cast<const typename Type::Stored*>(stored), tiles, to);
    return cudaGetLastError();
  });
}

}  // namespace bitwright::worker::cuda
