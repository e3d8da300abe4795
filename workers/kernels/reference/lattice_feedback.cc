#include <algorithm>
#include <optional>
#include <vector>

#include "workers/kernels/reference/grid_feedback.h"
#include "workers/kernels/reference/lattice_state.h"

namespace bitwright::worker {
namespace {

// M_JJ D_J M_JJᵀ of the octet from `begin` on.
OctetForm FormOf(const UnitUpperFactor& h, int64_t begin) {
  double s[64] = {};
  for (int64_t i = 0; i < 8; ++i) {
    for (int64_t j = 0; j < 8; ++j) {
      for (int64_t k = std::max(i, j); k < 8; ++k) {
        s[8 * i + j] += h.M(begin + i, begin + k) * h.d[static_cast<size_t>(begin + k)] * h.M(begin + j, begin + k);
      }
    }
  }
  return OctetForm(s);
}

}  // namespace

void FeedBack(const GridProblem& problem, const Lattice& lattice, LatticeCodes& codes) {
  const int64_t rows = problem.rows, n = problem.columns;
  const UnitUpperFactor h(std::vector<double>(problem.moment.begin(), problem.moment.end()), n);
  std::optional<UnitUpperFactor> g;
  if (!problem.gradient_moment.empty()) g.emplace(problem.gradient_moment, rows);
  std::vector<double> error(static_cast<size_t>(rows * n)), t(static_cast<size_t>(rows * n));  // t = E M
  for (int64_t begin = 0; begin < n; begin += 8) {
    const OctetForm form = FormOf(h, begin);
    for (int64_t i = 0; i < rows; ++i) {
      LatticeCodesRow row(codes, lattice, n, i);
      const double scale = row.Scale(begin / lattice.group);
      double* e = &error[static_cast<size_t>(i * n)];
      const double* w = &problem.weights[static_cast<size_t>(i * n)];
      double from_left[8] = {}, spread[8], x[8];
      for (int64_t k = 0; k < 8; ++k) {
        const int64_t j = begin + k;
        for (int64_t l = 0; l < begin; ++l) from_left[k] += e[l] * h.M(l, j);
        spread[k] = from_left[k];
        for (int64_t above = 0; g.has_value() && above < i; ++above) {
          spread[k] += g->M(above, i) * t[static_cast<size_t>(above * n + j)];
        }
        for (int64_t l = 0; l < k; ++l) spread[k] -= spread[l] * h.M(begin + l, j);
        x[k] = scale == 0 ? 0 : (w[j] + spread[k]) / scale;
      }
      const Octet octet = ChooseOctet(lattice, form, x);
      row.Store(begin / 8, octet);
      for (int64_t k = 0; k < 8; ++k) {
        const int64_t j = begin + k;
        e[j] = w[j] - scale * octet.numbers[static_cast<size_t>(k)];
        double& held = t[static_cast<size_t>(i * n + j)];
        held = from_left[k] + e[j];
        for (int64_t l = 0; l < k; ++l) held += e[begin + l] * h.M(begin + l, j);
      }
    }
  }
}

}  // namespace bitwright::worker
