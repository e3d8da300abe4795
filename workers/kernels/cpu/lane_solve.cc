#include "workers/kernels/cpu/lane_solve.h"

#include <algorithm>

#include "workers/kernels/cpu/row_lanes.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kRows = kLaneRows;
constexpr int kSteps = 12;

// to[r] = Σ_p a[p, r] b[p, r].
void Dots(const Buffer<float>& a, const Buffer<float>& b, double* to) {
  std::fill_n(to, kRows, 0.0);
  for (int64_t i = 0; i < a.size(); ++i) to[i % kRows] += static_cast<double>(a[i]) * b[i];
}

}  // namespace

Buffer<float> SolveLanes(Buffer<float>& b, const std::function<void(const float* x, float* to)>& apply) {
  Buffer<float>& residual = b;
  const int64_t unknowns = b.size();
  Buffer<float> x(unknowns), direction(unknowns), applied(unknowns);
  std::fill_n(x.data(), unknowns, 0.0f);
  std::copy_n(residual.data(), unknowns, direction.data());
  double square[kRows], curvature[kRows], next[kRows];
  Dots(residual, residual, square);
  for (int k = 0; k < kSteps; ++k) {
    apply(direction.data(), applied.data());
    Dots(direction, applied, curvature);
    for (int64_t i = 0; i < unknowns; ++i) {
      const int64_t r = i % kRows;
      const auto length = static_cast<float>(curvature[r] > 0 ? square[r] / curvature[r] : 0);
      x[i] += length * direction[i];
      residual[i] -= length * applied[i];
    }
    Dots(residual, residual, next);
    for (int64_t i = 0; i < unknowns; ++i) {
      const int64_t r = i % kRows;
      direction[i] = residual[i] + static_cast<float>(square[r] > 0 ? next[r] / square[r] : 0) * direction[i];
    }
    std::copy_n(next, kRows, square);
  }
  return x;
}

}  // namespace bitwright::worker
