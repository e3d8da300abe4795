#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/base/thread_pool.h"
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

// Sums of x xᵀ for several inputs at a time. Work is cut into tiles of H; each tile adds its chunks in
// the order in which they come, so threads change no bit. f32 products, at most kChunkRows long, added in f32.
// Not thread-safe (it runs the threads itself).
class SecondMoments {
 public:
  static constexpr int64_t kChunkRows = 4096;

  SecondMoments(std::vector<int64_t> columns, ThreadPool& pool);

  // Adds `rows` rows: x[i] is [rows, columns[i]], contiguous.
  void Add(std::span<const float* const> x, int64_t rows);

  // Divides by the number of rows. The object is used up.
  std::vector<InputStatistics> Finish();

 private:
  struct Tile {
    size_t input;
    int64_t i, j;  // first row and column
  };
  std::vector<int64_t> columns_;
  ThreadPool& pool_;
  int64_t rows_ = 0;
  std::vector<Tile> tiles_;
  std::vector<Buffer<float>> sums_;  // [columns, columns], upper tiles only
};

}  // namespace bitwright::worker
