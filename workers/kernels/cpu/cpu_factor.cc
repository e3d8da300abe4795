#include "workers/kernels/cpu/cpu_factor.h"

#include <algorithm>

#include "workers/kernels/cpu/row_lanes.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {

void SumEarlierErrors(const CpuFactor& factor, const float* error, int64_t begin, int64_t width, float* sum) {
  if (begin == 0) {
    std::fill_n(sum, width * kLaneRows, 0.0f);
    return;
  }
  // Eᵀ of all earlier columns against their part of M
  GemmF32(true, false, width, kLaneRows, begin, 1.0f, factor.m.data() + begin, factor.head.inputs, error, kLaneRows,
          0.0f, sum, kLaneRows);
}

}  // namespace bitwright::worker
