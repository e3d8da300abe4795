#pragma once

#include <vector>

#include "workers/kernels/device.h"

namespace bitwright::worker {

class HostMemory final : public DeviceMemory {
 public:
  HostMemory(DType type, int64_t elements) : DeviceMemory(type, elements), values(static_cast<size_t>(elements)) {}
  std::vector<float> values;  // of bf16 memory, too, widened
};

inline float& At(const Matrix& m, int64_t row, int64_t column) {
  return static_cast<HostMemory*>(m.memory)->values[static_cast<size_t>(m.offset + row * m.stride + column)];
}

}  // namespace bitwright::worker
