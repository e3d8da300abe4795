#pragma once

#include <cstdint>
#include <optional>

#include "workers/base/thread_pool.h"

namespace bitwright::worker {

// Leading dimension that Cholesky asks of an [n, n] matrix: n rounded up to a multiple of 16.
constexpr int64_t CholeskyStride(int64_t n) { return (n + 15) / 16 * 16; }

// Replaces the lower triangle of A f64 [n, n] by C with A = C Cᵀ. A lies in a buffer of CholeskyStride(n) rows of as
// many elements; what lies above the diagonal or past row n is overwritten. Nothing when done, else the first column
// whose pivot is not positive. Blocks have fixed bounds: the same bits on any number of threads.
std::optional<int64_t> Cholesky(double* a, int64_t n, ThreadPool& pool);

}  // namespace bitwright::worker
