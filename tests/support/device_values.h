#pragma once

#include <vector>

#include "workers/kernels/device.h"

namespace bitwright::worker {

// The elements of a matrix on a device, row after row.
inline std::vector<float> Values(Device& device, const Matrix& matrix) {
  std::vector<float> values(static_cast<size_t>(matrix.rows * matrix.columns));
  device.Read(matrix, values);
  return values;
}

}  // namespace bitwright::worker
