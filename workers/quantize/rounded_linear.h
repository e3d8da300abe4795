#pragma once

#include <cstdint>
#include <vector>

namespace bitwright::worker {

// A linear as codes. value = code · scale of the column's group, then rounded to the storage dtype (Dequantize).
struct RoundedLinear {
  std::vector<int8_t> codes;     // [out, in]
  std::vector<float> scales;     // [out, groups], already rounded to the storage dtype
  std::vector<double> row_loss;  // [out] (ΔW H ΔWᵀ)_rr, undamped; empty from RoundToNearest, which knows no H
  double loss = 0;               // tr(ΔW H ΔWᵀ), the sum of row_loss in order
};

}  // namespace bitwright::worker
