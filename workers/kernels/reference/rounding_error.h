#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "workers/kernels/reference/grid_rounding.h"

namespace bitwright::worker {

// The values Q of a matrix on its way through rounding with R = G E H, E = W − Q, which says of every change what it
// does to J = tr(G E H Eᵀ).
class RoundingError {
 public:
  // values [rows, columns]. The problem must outlive this.
  RoundingError(const GridProblem& problem, std::span<const float> values);

  double J() const;  // from E and R
  // Replaces the values of a row's columns from `begin` on, and follows with E and R.
  void Replace(int64_t row, int64_t begin, std::span<const double> values);
  // G applied to `a` [rows, columns] from the left, H from the right.
  std::vector<double> Both(const std::vector<double>& a) const;

  double Value(int64_t i, int64_t j) const { return values_[Index(i, j)]; }
  double R(int64_t i, int64_t j) const { return r_[Index(i, j)]; }
  const std::vector<double>& r() const { return r_; }
  double G(int64_t i, int64_t k) const {
    if (problem_.gradient_moment.empty()) return i == k ? 1 : 0;
    return problem_.gradient_moment[static_cast<size_t>(i * problem_.rows + k)];
  }
  const double* H(int64_t j) const { return &problem_.moment[static_cast<size_t>(j * problem_.columns)]; }

 private:
  size_t Index(int64_t i, int64_t j) const { return static_cast<size_t>(i * problem_.columns + j); }

  const GridProblem& problem_;
  std::vector<double> values_, r_;  // [rows, columns] Q and R
};

// x of A x = b from x = 0 by a dozen steps of conjugate gradients (Hestenes & Stiefel, 1952); apply(x) = A x, which is
// positive semidefinite.
std::vector<double> ConjugateGradients(std::vector<double> b,
                                       const std::function<std::vector<double>(const std::vector<double>&)>& apply);

}  // namespace bitwright::worker
