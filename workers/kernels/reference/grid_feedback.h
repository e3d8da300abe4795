#pragma once

#include <span>
#include <vector>

#include "workers/kernels/reference/grid_rounding.h"

namespace bitwright::worker {

// A = M D Mᵀ [n, n], M unit upper triangular.
struct UnitUpperFactor {
  UnitUpperFactor(std::span<const double> a, int64_t n);
  double M(int64_t i, int64_t j) const { return m[static_cast<size_t>(i * n + j)]; }

  int64_t n;
  std::vector<double> m;  // [n, n]
  std::vector<double> d;  // [n]
};

// Codes by feedback through both factors (grid_rounding.h), with the scales that `codes` holds.
void FeedBack(const GridProblem& problem, const Grid& grid, GridCodes& codes);

}  // namespace bitwright::worker
