#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "workers/kernels/grid.h"
#include "workers/tensor/dtype.h"

// What survives storage, in device code: the functions of stored_float.h and stored_scale.h by their names there.
namespace bitwright::worker::cuda {

__device__ inline float RoundTo(DType type, float value) {
  if (type == DType::kBF16) return __bfloat162float(__float2bfloat16_rn(value));
  if (type == DType::kF16) return __half2float(__float2half_rn(value));
  return value;
}

__device__ inline float EpsilonOf(DType type) {
  return type == DType::kBF16 ? 0x1p-7f : type == DType::kF16 ? 0x1p-10f : 0x1p-23f;
}

__device__ inline float StoredScale(ScaleType type, double scale) {
  const auto value = static_cast<float>(scale);
  switch (type) {
    case ScaleType::kF32:
      return value;
    case ScaleType::kF16:
      return RoundTo(DType::kF16, value);
    case ScaleType::kBF16:
      return RoundTo(DType::kBF16, value);
    case ScaleType::kE8M0: {
      if (!(value > 0)) return 0x1p-127f;
      const auto exponent = static_cast<int>(fminf(fmaxf(roundf(log2f(value)), -127.0f), 127.0f));
      return ldexpf(1.0f, exponent);
    }
    case ScaleType::kE4M3: {
      if (!(value > 0)) return 0;
      const int exponent = max(isinf(value) ? 128 : ilogbf(value), -6);
      return fminf(rintf(ldexpf(value, 3 - exponent)) * ldexpf(1.0f, exponent - 3), 448.0f);
    }
  }
  return value;
}

// divisor: Grid::scale_divisor
__device__ inline float StoredScale(ScaleType type, float divisor, double scale) {
  if (divisor == 1) return StoredScale(type, scale);
  return StoredScale(type, scale * double{divisor}) / divisor;
}

}  // namespace bitwright::worker::cuda
