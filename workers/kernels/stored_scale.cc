#include "workers/kernels/stored_scale.h"

#include <algorithm>
#include <cmath>

#include "workers/tensor/stored_float.h"

namespace bitwright::worker {

ScaleType ScaleTypeOf(DType type) {
  return type == DType::kF32 ? ScaleType::kF32 : type == DType::kF16 ? ScaleType::kF16 : ScaleType::kBF16;
}

float StoredScale(ScaleType type, double scale) {
  const auto value = static_cast<float>(scale);
  switch (type) {
    case ScaleType::kF32:
      return value;
    case ScaleType::kF16:
      return RoundTo(DType::kF16, value);
    case ScaleType::kBF16:
      return RoundTo(DType::kBF16, value);
    case ScaleType::kE8M0:
      return value > 0 ? std::exp2(std::clamp(std::round(std::log2(value)), -127.0f, 127.0f)) : 0x1p-127f;
    case ScaleType::kE4M3: {  // 3 bits of fraction, exponents from −6, at most 448
      if (!(value > 0)) return 0;
      const int exponent = std::max(static_cast<int>(std::floor(std::log2(value))), -6);
      return std::min(std::nearbyint(std::ldexp(value, 3 - exponent)) * std::ldexp(1.0f, exponent - 3), 448.0f);
    }
  }
  return value;
}

float StoredScale(const Grid& grid, double scale) {
  if (grid.scale_divisor == 1) return StoredScale(grid.scale_type, scale);
  return StoredScale(grid.scale_type, scale * double{grid.scale_divisor}) / grid.scale_divisor;
}

}  // namespace bitwright::worker
