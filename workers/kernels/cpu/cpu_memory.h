#pragma once

#include <algorithm>

#include "workers/kernels/device.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

class CpuMemory final : public DeviceMemory {
 public:
  CpuMemory(DType type, int64_t elements)
      : DeviceMemory(type, elements),
        wide_(type == DType::kBF16 ? 0 : elements),
        narrow_(type == DType::kBF16 ? elements : 0) {}

  float* wide() { return wide_.data(); }
  uint16_t* narrow() { return narrow_.data(); }

 private:
  Buffer<float> wide_;
  Buffer<uint16_t> narrow_;
};

inline float* WideOf(const Matrix& m) { return static_cast<CpuMemory*>(m.memory)->wide() + m.offset; }
inline uint16_t* NarrowOf(const Matrix& m) { return static_cast<CpuMemory*>(m.memory)->narrow() + m.offset; }
inline float* RowOf(const Matrix& m, int64_t row) { return WideOf(m) + row * m.stride; }

// At least `elements` of scratch, whatever was in it.
inline float* Grown(Buffer<float>& scratch, int64_t elements) {
  if (scratch.size() < elements) scratch = Buffer<float>(elements);
  return scratch.data();
}

// [0, n) in equal parts of at most `most`, each a multiple of `multiple` but for the last: a cut that depends on n
// alone.
struct EvenCut {
  int64_t n = 0;
  int64_t size = 1;
  int64_t parts = 0;

  EvenCut(int64_t count, int64_t most, int64_t multiple) : n(count) {
    if (n == 0) return;
    const int64_t wanted = (n + most - 1) / most;
    size = ((n + wanted - 1) / wanted + multiple - 1) / multiple * multiple;
    parts = (n + size - 1) / size;
  }
  int64_t begin(int64_t part) const { return part * size; }
  int64_t length(int64_t part) const { return std::min(size, n - part * size); }
};

// Rows that one piece of element-wise work takes, so that pieces are worth a thread's while.
inline EvenCut RowCut(int64_t rows, int64_t columns) {
  constexpr int64_t kPieceElements = 1 << 15;
  return {rows, std::max<int64_t>(1, kPieceElements / std::max<int64_t>(1, columns)), 1};
}

}  // namespace bitwright::worker
