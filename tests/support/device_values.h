#pragma once

#include <span>
#include <vector>

#include "workers/kernels/device.h"

namespace bitwright::worker {

// The elements of a matrix on a device, row after row.
inline std::vector<float> Values(Device& device, const Matrix& matrix) {
  std::vector<float> values(static_cast<size_t>(matrix.rows * matrix.columns));
  device.Read(matrix, values);
  return values;
}

// Values on a device, as a matrix of so many rows.
inline DeviceMatrix OnDevice(Device& device, std::span<const float> values, int64_t rows) {
  DeviceMatrix matrix(device, DType::kF32, rows, static_cast<int64_t>(values.size()) / rows);
  device.Write(values, matrix.view());
  return matrix;
}

}  // namespace bitwright::worker
