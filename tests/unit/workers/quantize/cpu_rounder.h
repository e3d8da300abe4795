#pragma once

#include <memory>
#include <vector>

#include "tests/support/device_values.h"
#include "tests/support/status_matchers.h"
#include "workers/formats/int_format.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/quantize/factor.h"

namespace bitwright::worker {

// Rounding on the processor, of weights in the host's memory.
struct CpuRounder {
  explicit CpuRounder(int threads = 2) : pool(threads), device(MakeCpuDevice(pool)) {}

  RoundedLinear Ldlq(const DeviceFactor& factor, const std::vector<float>& weights, int64_t out, IntFormat format,
                     DType type = DType::kF32, const LdlqOptions& options = {}) {
    const DeviceMatrix w = OnDevice(*device, weights, out);
    return device->rounding().RoundLdlq(factor, w.view(), format.Grid(w.view().columns, type), options);
  }
  RoundedLinear Nearest(const std::vector<float>& weights, int64_t out, IntFormat format,
                        const NearestOptions& options = {}, DType type = DType::kF32,
                        const std::vector<float>& diagonal = {}) {
    const DeviceMatrix w = OnDevice(*device, weights, out);
    return device->rounding().RoundNearest(w.view(), format.Grid(w.view().columns, type), options, diagonal);
  }
  std::vector<float> Dequantized(const RoundedLinear& rounded, int64_t out, IntFormat format,
                                 DType type = DType::kF32) {
    const int64_t in = static_cast<int64_t>(rounded.codes.size()) / out;
    const DeviceMatrix values(*device, DType::kF32, out, in);
    device->rounding().Dequantize(format.Grid(in, type), rounded.codes, rounded.scales, values.view());
    return Values(*device, values.view());
  }

  ThreadPool pool;
  const std::unique_ptr<Device> device;
};

}  // namespace bitwright::worker
