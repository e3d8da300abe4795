#pragma once

#include <span>

#include "workers/evaluate/token_stats.h"
#include "workers/kernels/cpu/cpu_device.h"

namespace bitwright::worker {

// CompareLogits of rows in the host's memory, on the processor.
inline TokenStats CompareLogits(std::span<const float> base, std::span<const float> quantized, int64_t vocabulary,
                                std::span<const int32_t> targets, ThreadPool& pool) {
  const auto device = MakeCpuDevice(pool);
  const int64_t rows = static_cast<int64_t>(targets.size());
  const DeviceMatrix a(*device, DType::kF32, rows, vocabulary), b(*device, DType::kF32, rows, vocabulary);
  device->Write(base, a.view());
  device->Write(quantized, b.view());
  return CompareLogits(*device, a.view(), b.view(), targets);
}

}  // namespace bitwright::worker
