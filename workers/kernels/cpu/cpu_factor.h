#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/call_once.h"
#include "workers/kernels/rounding.h"
#include "workers/tensor/buffer.h"

namespace bitwright::worker {

struct CpuFactor final : DeviceFactor {
  const FactorHead& Head() const override { return head; }

  FactorHead head;
  std::vector<float> d;  // [in] D, by position
  Buffer<float> m;       // [in, in] row-major, by position; M
  Buffer<float> blocks;  // [blocks of 128 columns][128][128]: element (j, i) is M_ij of the diagonal block, i < j

  // H, damped, [in, in] by column; of rounding on grids alone, which makes it once.
  mutable absl::once_flag moment_made;
  mutable Buffer<float> moment;
  // The factor of the same H in the order of its columns, where head.order is another; of rounding on lattices alone.
  mutable absl::once_flag in_order_made;
  mutable std::unique_ptr<DeviceFactor> in_order;
};

// sum [width, 64] = what the errors [begin, 64] of all earlier positions add to those of [begin, begin + width).
void SumEarlierErrors(const CpuFactor& factor, const float* error, int64_t begin, int64_t width, float* sum);

}  // namespace bitwright::worker
