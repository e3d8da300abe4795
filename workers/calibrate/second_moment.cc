#include "workers/calibrate/second_moment.h"

namespace bitwright::worker {
Buffer<float> InputStatistics::Full() const {
  Buffer<float> full(columns * columns);
  UnpackTriangle(second_moment.span(), columns, full.span());
  return full;
}

Buffer<float> InputStatistics::Diagonal() const {
  Buffer<float> diagonal(columns);
  for (int64_t i = 0; i < columns; ++i) diagonal[i] = second_moment[PackedTriangleIndex(columns, i, i)];
  return diagonal;
}

SecondMoment::SecondMoment(int64_t columns, Device& device)
    : device_(device), sums_(device, DType::kF32, columns, columns) {
  device.Fill(0, sums_.view());
}

void SecondMoment::Add(const Matrix& x) {
  device_.AddMoment(x, sums_.view());
  rows_ += x.rows;
}

InputStatistics SecondMoment::Finish() {
  InputStatistics statistics;
  statistics.columns = sums_.view().columns;
  statistics.rows = rows_;
  statistics.second_moment = Buffer<float>(PackedTriangleSize(statistics.columns));
  device_.ReadTriangle(sums_.view(), rows_ == 0 ? 0.0f : 1.0f / static_cast<float>(rows_),
                       statistics.second_moment.span());
  sums_ = DeviceMatrix();
  return statistics;
}

}  // namespace bitwright::worker
