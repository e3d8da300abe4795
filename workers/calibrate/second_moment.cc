#include "workers/calibrate/second_moment.h"

#include <algorithm>

#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kTile = 256;

}  // namespace

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

SecondMoments::SecondMoments(std::vector<int64_t> columns, ThreadPool& pool)
    : columns_(std::move(columns)), pool_(pool) {
  for (size_t input = 0; input < columns_.size(); ++input) {
    const int64_t n = columns_[input];
    for (int64_t i = 0; i < n; i += kTile) {
      for (int64_t j = i; j < n; j += kTile) tiles_.push_back({input, i, j});
    }
    sums_.emplace_back(n * n);
  }
}

void SecondMoments::Add(std::span<const float* const> x, int64_t rows) {
  const float keep = rows_ == 0 ? 0.0f : 1.0f;
  pool_.ParallelFor(static_cast<int64_t>(tiles_.size()), [&](int64_t piece, int) {
    const Tile& tile = tiles_[static_cast<size_t>(piece)];
    const int64_t n = columns_[tile.input];
    GemmF32(true, false, std::min(kTile, n - tile.i), std::min(kTile, n - tile.j), rows, 1.0f, x[tile.input] + tile.i,
            n, x[tile.input] + tile.j, n, keep, sums_[tile.input].data() + tile.i * n + tile.j, n);
  });
  rows_ += rows;
}

std::vector<InputStatistics> SecondMoments::Finish() {
  std::vector<InputStatistics> all(columns_.size());
  const float share = 1.0f / static_cast<float>(rows_);
  pool_.ParallelFor(static_cast<int64_t>(all.size()), [&](int64_t piece, int) {
    const size_t input = static_cast<size_t>(piece);
    const int64_t n = columns_[input];
    InputStatistics& to = all[input];
    to.columns = n;
    to.rows = rows_;
    to.second_moment = Buffer<float>(PackedTriangleSize(n));
    float* at = to.second_moment.data();
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = i; j < n; ++j) *at++ = sums_[input][i * n + j] * share;
    }
  });
  return all;
}

}  // namespace bitwright::worker
