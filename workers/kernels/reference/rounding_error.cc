#include "workers/kernels/reference/rounding_error.h"

#include <numeric>

namespace bitwright::worker {
namespace {

constexpr int kSteps = 12;

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

RoundingError::RoundingError(const GridProblem& problem, std::span<const float> values)
    : problem_(problem), values_(values.begin(), values.end()) {
  std::vector<double> error(values_.size());
  for (size_t i = 0; i < error.size(); ++i) error[i] = problem.weights[i] - values_[i];
  r_ = Both(error);
}

std::vector<double> RoundingError::Both(const std::vector<double>& a) const {
  const int64_t n = problem_.columns;
  std::vector<double> right(a.size());
  for (int64_t i = 0; i < problem_.rows; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const double x = a[Index(i, j)];
      for (int64_t l = 0; x != 0 && l < n; ++l) right[Index(i, l)] += x * H(j)[l];
    }
  }
  if (problem_.gradient_moment.empty()) return right;
  std::vector<double> both(a.size());
  for (int64_t i = 0; i < problem_.rows; ++i) {
    for (int64_t k = 0; k < problem_.rows; ++k) {
      for (int64_t j = 0; j < n; ++j) both[Index(i, j)] += G(i, k) * right[Index(k, j)];
    }
  }
  return both;
}

double RoundingError::J() const {
  double sum = 0;
  for (size_t i = 0; i < r_.size(); ++i) sum += (problem_.weights[i] - values_[i]) * r_[i];
  return sum;
}

void RoundingError::Replace(int64_t row, int64_t begin, std::span<const double> values) {
  const int64_t n = problem_.columns;
  std::vector<double> change(static_cast<size_t>(n));
  for (int64_t j = 0; j < std::ssize(values); ++j) {
    double& held = values_[Index(row, begin + j)];
    const double delta = values[static_cast<size_t>(j)] - held;
    held = values[static_cast<size_t>(j)];
    for (int64_t l = 0; delta != 0 && l < n; ++l) change[static_cast<size_t>(l)] += delta * H(begin + j)[l];
  }
  for (int64_t k = 0; k < problem_.rows; ++k) {
    const double g = G(k, row);
    for (int64_t l = 0; g != 0 && l < n; ++l) r_[Index(k, l)] -= g * change[static_cast<size_t>(l)];
  }
}

std::vector<double> ConjugateGradients(std::vector<double> b,
                                       const std::function<std::vector<double>(const std::vector<double>&)>& apply) {
  std::vector<double>& residual = b;
  std::vector<double> direction = residual, x(residual.size());
  double square = Dot(residual, residual);
  for (int k = 0; k < kSteps && square > 0; ++k) {
    const std::vector<double> applied = apply(direction);
    const double curvature = Dot(direction, applied);
    if (!(curvature > 0)) break;
    const double length = square / curvature;
    for (size_t p = 0; p < x.size(); ++p) {
      x[p] += length * direction[p];
      residual[p] -= length * applied[p];
    }
    const double next = Dot(residual, residual);
    for (size_t p = 0; p < x.size(); ++p) direction[p] = residual[p] + next / square * direction[p];
    square = next;
  }
  return x;
}

}  // namespace bitwright::worker
