#pragma once

#include <driver_types.h>

#include <cstdint>

// What kernels are given: plain data. A launcher (name.cu, declared in name.h) puts its work on a stream and returns
// what the launch returned; sizes of 0 are allowed and do nothing. Kernels take no lock, use no atomic in a sum and cut
// their work by shapes alone: the same input gives the same bits.
namespace bitwright::worker::cuda {

// A part of a matrix in device memory: element (r, c) is data[r · stride + c].
template <typename T>
struct Part {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

#ifdef __CUDACC__
  __device__ T* Row(int64_t row) const { return data + row * stride; }
#endif
};

using Wide = Part<float>;
using Narrow = Part<uint16_t>;  // bf16

// Heads side by side in the rows of a matrix: element i of head h of row r is x.data[r · x.stride + h · stride + i].
struct HeadRows {
  Wide x;
  int64_t count = 1;
  int64_t stride = 0;
  int64_t dim = 0;
};

inline constexpr int kThreads = 256;  // of a block that does not say otherwise

constexpr int64_t CeilDiv(int64_t n, int64_t by) { return (n + by - 1) / by; }

}  // namespace bitwright::worker::cuda
