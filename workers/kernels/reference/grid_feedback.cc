#include "workers/kernels/reference/grid_feedback.h"

#include <optional>

#include "workers/kernels/reference/grid_row.h"

namespace bitwright::worker {

UnitUpperFactor::UnitUpperFactor(std::span<const double> a, int64_t n)
    : n(n), m(static_cast<size_t>(n * n)), d(static_cast<size_t>(n)) {
  const auto at = [n](int64_t i, int64_t j) { return static_cast<size_t>(i * n + j); };
  for (int64_t j = n - 1; j >= 0; --j) {
    for (int64_t i = j; i >= 0; --i) {
      double sum = a[at(i, j)];
      for (int64_t k = j + 1; k < n; ++k) sum -= d[static_cast<size_t>(k)] * m[at(i, k)] * m[at(j, k)];
      if (i == j) d[static_cast<size_t>(j)] = sum;
      m[at(i, j)] = sum / d[static_cast<size_t>(j)];
    }
  }
}

void FeedBack(const GridProblem& problem, const Grid& grid, GridCodes& codes) {
  const int64_t rows = problem.rows, n = problem.columns;
  const auto column = [&](int64_t position) -> int64_t {
    return problem.order.empty() ? position : problem.order[static_cast<size_t>(position)];
  };
  std::vector<double> moment;
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) moment.push_back(problem.moment[static_cast<size_t>(column(i) * n + column(j))]);
  }
  const UnitUpperFactor h(moment, n);
  std::optional<UnitUpperFactor> g;
  if (!problem.gradient_moment.empty()) g.emplace(problem.gradient_moment, rows);
  std::vector<double> error(static_cast<size_t>(rows * n)), t(static_cast<size_t>(rows));  // error: by position
  std::vector<GridRow> row;
  for (int64_t i = 0; i < rows; ++i) row.emplace_back(codes, grid, n, i);
  for (int64_t p = 0; p < n; ++p) {
    for (int64_t i = 0; i < rows; ++i) {
      const double* e = &error[static_cast<size_t>(i * n)];
      const double w = problem.weights[static_cast<size_t>(i * n + column(p))];
      double f = 0, from_rows = 0;
      for (int64_t l = 0; l < p; ++l) f += e[l] * h.M(l, p);
      for (int64_t k = 0; g.has_value() && k < i; ++k) from_rows += g->M(k, i) * t[static_cast<size_t>(k)];
      const GroupScale scale = row[static_cast<size_t>(i)].Of(column(p) / grid.group);
      const int code = scale.Nearest(grid, w + f + from_rows);
      row[static_cast<size_t>(i)].code(column(p)) = static_cast<uint8_t>(code);
      error[static_cast<size_t>(i * n + p)] = w - scale.Value(grid, code);
      t[static_cast<size_t>(i)] = f + w - scale.Value(grid, code);
    }
  }
}

}  // namespace bitwright::worker
