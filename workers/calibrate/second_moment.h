#pragma once

#include <cstdint>

#include "workers/kernels/device.h"
#include "workers/tensor/buffer.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {

// What calibration learns of a unit's input x, over n tokens.
struct InputStatistics {
  int64_t columns = 0;          // width of x
  int64_t rows = 0;             // n, tokens
  Buffer<float> second_moment;  // H = (1/n) Σ x xᵀ, packed upper triangle

  // H as a full symmetric matrix [columns, columns].
  Buffer<float> Full() const;
  // Its diagonal [columns].
  Buffer<float> Diagonal() const;
};

// The sum of x xᵀ of one input, on a device: chunk after chunk, in the order in which they come.
class SecondMoment {
 public:
  SecondMoment(int64_t columns, Device& device);

  // x [rows, columns]
  void Add(const Matrix& x);

  // Divided by the number of rows; zero where there was none. The object is used up.
  InputStatistics Finish();

 private:
  Device& device_;
  int64_t rows_ = 0;
  DeviceMatrix sums_;  // [columns, columns], upper triangle
};

}  // namespace bitwright::worker
