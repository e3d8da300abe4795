#pragma once

#include <cublas_v2.h>
#include <cuda_runtime_api.h>

#include <span>
#include <vector>

#include "workers/kernels/cuda/cuda_check.h"
#include "workers/kernels/cuda/launch.h"
#include "workers/kernels/device.h"

// Host code alone: kernels see plain data (launch.h).
namespace bitwright::worker::cuda {

// What all parts of one device use. Work of a device is in the order of its stream.
struct Context {
  int ordinal = 0;
  cudaStream_t stream = nullptr;
  cublasHandle_t cublas = nullptr;  // on the stream, with a workspace of its own: the same shapes, the same kernels

  // Returns when all that was put on the stream is done.
  void Wait() const { Check(cudaStreamSynchronize(stream), "waiting for the device"); }
};

// Memory of a card, taken and given back in the order of a stream.
template <typename T>
class Array {
 public:
  Array(const Context& context, int64_t elements) : context_(context), elements_(elements) {
    const size_t bytes = static_cast<size_t>(elements) * sizeof(T);
    if (bytes > 0) Check(cudaMallocAsync(reinterpret_cast<void**>(&data_), bytes, context.stream), "allocation");
  }
  // A copy of values of the host, which may go at once.
  Array(const Context& context, std::span<const T> from) : Array(context, static_cast<int64_t>(from.size())) {
    if (from.empty()) return;
    Check(cudaMemcpyAsync(data_, from.data(), from.size_bytes(), cudaMemcpyHostToDevice, context.stream), "copy");
    // From memory that is not pinned the call returns when it has taken all of it.
  }
  ~Array() {
    if (data_ != nullptr) (void)cudaFreeAsync(data_, context_.stream);
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T* data() const { return data_; }
  int64_t elements() const { return elements_; }
  // All bytes become 0.
  void Clear() const {
    const size_t bytes = static_cast<size_t>(elements_) * sizeof(T);
    if (bytes > 0) Check(cudaMemsetAsync(data_, 0, bytes, context_.stream), "clearing");
  }
  // Waits for what the stream has to do, and copies the first elements to the host.
  void Read(std::span<T> to) const {
    if (to.empty()) return;
    Check(cudaMemcpyAsync(to.data(), data_, to.size_bytes(), cudaMemcpyDeviceToHost, context_.stream), "copy");
    context_.Wait();
  }

 private:
  const Context& context_;
  int64_t elements_;
  T* data_ = nullptr;
};

class CudaMemory final : public DeviceMemory {
 public:
  CudaMemory(const Context& context, DType type, int64_t elements)
      : DeviceMemory(type, elements), bytes_(context, elements * (type == DType::kBF16 ? 2 : 4)) {}

  float* wide() const { return reinterpret_cast<float*>(bytes_.data()); }
  uint16_t* narrow() const { return reinterpret_cast<uint16_t*>(bytes_.data()); }

 private:
  Array<std::byte> bytes_;
};

inline Wide WideOf(const Matrix& m) {
  if (!m.has_value()) return {};
  return {static_cast<CudaMemory*>(m.memory)->wide() + m.offset, m.rows, m.columns, m.stride};
}
inline Narrow NarrowOf(const Matrix& m) {
  return {static_cast<CudaMemory*>(m.memory)->narrow() + m.offset, m.rows, m.columns, m.stride};
}
inline HeadRows HeadsOf(const Heads& heads) { return {WideOf(heads.x), heads.count, heads.stride, heads.dim}; }

}  // namespace bitwright::worker::cuda
