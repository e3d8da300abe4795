#pragma once

#include <cstdint>
#include <optional>

#include "workers/base/thread_pool.h"

namespace bitwright::worker {

// Leading dimension that Cholesky asks of an [n, n] matrix: n rounded up to a multiple of 16.
constexpr int64_t CholeskyStride(int64_t n) { return (n + 15) / 16 * 16; }

// Replaces the lower triangle of A f64 [n, n] by C with A = C Cᵀ. A lies in a buffer of CholeskyStride(n) rows of as
// many elements; whatever is above the diagonal or past row n is overwritten. Returns nothing when it succeeded, else
// the first column whose pivot is not positive.
//
// The blocked right-looking form (Golub & Van Loan, Matrix Computations, section 4.2): factor a diagonal block, solve
// the panel below it, subtract the panel's product from the rest. Blocks have fixed bounds, so the number of threads
// changes no bit.
std::optional<int64_t> Cholesky(double* a, int64_t n, ThreadPool& pool);

}  // namespace bitwright::worker
