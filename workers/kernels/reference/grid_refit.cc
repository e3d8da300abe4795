#include <algorithm>

#include "workers/kernels/reference/grid_sweep.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {

// Q is linear in the scales x (and minima) of the first level: q_ij = x_p a_ij − x_p' b_ij. With J quadratic in Q, the
// normal equations are Bᵀ(G · H)B x = Bᵀ(G W H), of which −gradient/2 at the present x is BᵀR.
void GridState::RefitScales() {
  if (grid_.given_scales) return;
  const int64_t rows = problem_.rows, n = problem_.columns;
  const size_t scales = codes_.scales.size();
  std::vector<double> by_scale(codes_.codes.size()), by_minimum(grid_.minima ? by_scale.size() : 0);
  std::vector<size_t> index(by_scale.size());
  for (int64_t i = 0; i < rows; ++i) {
    GridRow row(codes_, grid_, n, i);
    for (int64_t j = 0; j < n; ++j) {
      const int64_t group = j / grid_.group;
      const auto at = static_cast<size_t>(i * n + j);
      const double zero = grid_.zero_points ? row.zero(group) : 0;
      by_scale[at] = (grid_.codebook[row.code(j)] - zero) * (grid_.two_levels() ? row.sub_scale(group) : 1);
      if (grid_.minima) by_minimum[at] = grid_.two_levels() ? row.sub_minimum(group) : 1;
      index[at] = static_cast<size_t>(row.ScaleIndex(group));
    }
  }
  const auto spread = [&](const std::vector<double>& x) {
    std::vector<double> q(by_scale.size());
    for (size_t at = 0; at < q.size(); ++at) {
      q[at] = x[index[at]] * by_scale[at] - (grid_.minima ? x[scales + index[at]] * by_minimum[at] : 0);
    }
    return q;
  };
  const auto gather = [&](const std::vector<double>& q) {
    std::vector<double> x(scales * (grid_.minima ? 2 : 1));
    for (size_t at = 0; at < q.size(); ++at) {
      x[index[at]] += q[at] * by_scale[at];
      if (grid_.minima) x[scales + index[at]] -= q[at] * by_minimum[at];
    }
    return x;
  };
  const std::vector<double> step = ConjugateGradients(
      gather(error_.r()), [&](const std::vector<double>& x) { return gather(error_.Both(spread(x))); });
  // Stored numbers differ from the solution, and E8M0 by far: each row decides by what J then is.
  for (int64_t i = 0; i < rows; ++i) {
    const GridCodes before = codes_;
    const int64_t per = grid_.scales(n);
    for (int64_t p = i * per; p < (i + 1) * per; ++p) {
      const auto at = static_cast<size_t>(p);
      const double scale = codes_.scales[at] + step[at];
      codes_.scales[at] = StoredScale(grid_, grid_.both_signs() ? scale : std::max(scale, 0.0));
      if (grid_.minima) codes_.minima[at] = StoredScale(grid_, codes_.minima[at] + step[scales + at]);
    }
    GridRow row(codes_, grid_, n, i);
    std::vector<double> values, held;
    for (int64_t j = 0; j < n; ++j) {
      values.push_back(row.Of(j / grid_.group).Value(grid_, row.code(j)));
      held.push_back(error_.Value(i, j));
    }
    const double j_before = J();
    error_.Replace(i, 0, values);
    if (J() < j_before) continue;
    codes_ = before;
    error_.Replace(i, 0, held);
  }
}

}  // namespace bitwright::worker
