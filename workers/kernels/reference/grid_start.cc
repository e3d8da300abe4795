#include <vector>

#include "workers/kernels/grid_search.h"
#include "workers/kernels/reference/grid_rounding.h"
#include "workers/kernels/reference/grid_row.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

// Columns that share scales, with the weight of each one's error.
struct Part {
  std::span<const double> w;
  std::span<const double> h;
};

double ErrorOf(const Grid& grid, const Part& part, GroupScale scale) {
  double error = 0;
  for (size_t j = 0; j < part.w.size(); ++j) {
    const double miss = part.w[j] - scale.Value(grid, scale.Nearest(grid, part.w[j]));
    error += part.h[j] * miss * miss;
  }
  return error;
}

struct Best {
  GroupScale scale;
  double error = 1e300;
};

void Try(const Grid& grid, const Part& part, GroupScale scale, Best& best) {
  if (!std::isfinite(scale.scale) || !std::isfinite(scale.minimum)) return;
  const double error = ErrorOf(grid, part, scale);
  if (error < best.error) best = {scale, error};
}

double NearestZero(const Grid& grid, double zero) {
  return std::clamp(std::round(zero), double{grid.codebook.front()}, double{grid.codebook.back()});
}

// Scale and, where the grid has one, minimum of least weighted squared error for the codes that `from` gives.
GroupScale Fit(const Grid& grid, const Part& part, GroupScale from) {
  double cc = 0, c1 = 0, one = 0, cw = 0, w1 = 0;
  for (size_t j = 0; j < part.w.size(); ++j) {
    const double c = grid.codebook[static_cast<size_t>(from.Nearest(grid, part.w[j]))], h = part.h[j];
    cc += h * c * c;
    c1 += h * c;
    one += h;
    cw += h * c * part.w[j];
    w1 += h * part.w[j];
  }
  if (!grid.minima && !grid.zero_points) return {static_cast<float>(cc > 0 ? cw / cc : from.scale), 0};
  const double determinant = cc * one - c1 * c1;
  if (!(determinant > 1e-12 * cc * one)) return from;
  GroupScale to{static_cast<float>((cw * one - w1 * c1) / determinant),
                static_cast<float>((cw * c1 - w1 * cc) / determinant)};
  if (grid.zero_points) {  // the integer nearest to that, and with it the best scale
    const double n = NearestZero(grid, to.minimum / double{to.scale});
    const double squares = cc - 2 * n * c1 + n * n * one;
    const double scale = (cw - n * w1) / squares;
    return scale > 0 && squares > 0 ? GroupScale{static_cast<float>(scale), static_cast<float>(n)} : from;
  }
  // A minimum of two levels is never negative: the line through the origin is then the nearest that can be stored.
  if (grid.two_levels() && to.minimum < 0) to = {static_cast<float>(cc > 0 ? cw / cc : from.scale), 0};
  return to;
}

// The best scale and minimum of a group, not yet as stored.
GroupScale Search(const Grid& grid, const Part& part) {
  const auto [least, most] = std::minmax_element(part.w.begin(), part.w.end());
  const double low = grid.codebook.front(), high = grid.codebook.back();
  Best best;
  Try(grid, part, {0, 0}, best);
  for (int k = 0; k < kGridFactors; ++k) {
    const double factor = kLeastGridFactor + (kMostGridFactor - kLeastGridFactor) * k / (kGridFactors - 1);
    if (grid.minima) {
      const double bottom = grid.two_levels() ? std::min(*least, 0.0) : *least;
      const double scale = (*most - bottom) * factor / (high - low);
      Try(grid, part, {static_cast<float>(scale), static_cast<float>(low * scale - bottom)}, best);
      continue;
    }
    if (grid.zero_points) {
      const double bottom = std::min(*least, 0.0), scale = (std::max(*most, 0.0) - bottom) * factor / (high - low);
      if (scale == 0) break;
      Try(grid, part, {static_cast<float>(scale), static_cast<float>(NearestZero(grid, low - bottom / scale))}, best);
      continue;
    }
    const double extreme = std::max(std::abs(*least), std::abs(*most));
    for (const double end : {low, high}) {
      if (end == 0) continue;
      const double scale = extreme * factor / std::abs(end);
      Try(grid, part, {static_cast<float>(scale), 0}, best);
      if (grid.both_signs()) Try(grid, part, {static_cast<float>(-scale), 0}, best);
    }
  }
  for (int k = 0; k < kGridFits; ++k) Try(grid, part, Fit(grid, part, best.scale), best);
  return best.scale;
}

// One level: the best of the stored neighbours.
void StoreOneLevel(const Grid& grid, const Part& part, GroupScale found, GridRow& row, int64_t group) {
  Best best;
  for (const double factor : kGridStoredFactors) {
    GroupScale scale{StoredScale(grid, found.scale * factor), found.minimum};
    if (grid.minima) scale.minimum = StoredScale(grid, found.minimum);
    Try(grid, part, scale, best);
  }
  row.scale(group) = best.scale.scale;
  if (grid.minima) row.minimum(group) = best.scale.minimum;
  if (grid.zero_points) row.zero(group) = static_cast<int8_t>(best.scale.minimum);
}

// Integers k and n of a group for given super-scale and super-minimum: the nearest ones, and their neighbours.
double ChooseIntegers(const Grid& grid, const Part& part, GroupScale found, float super, float super_minimum, int& k,
                      int& n) {
  const int k0 = super == 0 ? 0 : static_cast<int>(std::lround(found.scale / super));
  const int n0 = super_minimum == 0 ? 0 : static_cast<int>(std::lround(found.minimum / super_minimum));
  Best best;
  const int reach = grid.minima ? 1 : 0;
  for (int dk = -1; dk <= 1; ++dk) {
    for (int dn = -reach; dn <= reach; ++dn) {
      const int tried_k = std::clamp(k0 + dk, grid.least_scale, grid.most_scale);
      const int tried_n = std::clamp(n0 + dn, 0, grid.most_minimum);
      const double before = best.error;
      Try(grid, part, {super * static_cast<float>(tried_k), super_minimum * static_cast<float>(tried_n)}, best);
      if (best.error < before) {
        k = tried_k;
        n = tried_n;
      }
    }
  }
  return best.error;
}

// Two levels: of several super-scales and super-minima those of least error over all groups of the super-block.
void StoreTwoLevels(const Grid& grid, std::span<const Part> parts, GridRow& row, int64_t first) {
  std::vector<GroupScale> found;
  double most = 0, least = 0, most_minimum = 0;
  for (const Part& part : parts) {
    found.push_back(Search(grid, part));
    most = std::max(most, static_cast<double>(found.back().scale));
    least = std::min(least, static_cast<double>(found.back().scale));
    most_minimum = std::max(most_minimum, static_cast<double>(found.back().minimum));
  }
  const double extreme = most >= -least ? most : least;
  std::vector<double> supers;
  for (const double factor : kGridSuperFactors) {
    supers.push_back(extreme / grid.most_scale * factor);
    if (grid.least_scale < 0) supers.push_back(extreme / grid.least_scale * factor);
  }
  double best = 1e300;
  std::vector<int> k(parts.size()), n(parts.size());
  for (const double super : supers) {
    for (const double factor : kGridSuperMinimumFactors) {
      const float d = StoredScale(grid, super);
      const float m = grid.minima ? StoredScale(grid, most_minimum / grid.most_minimum * factor) : 0;
      double error = 0;
      for (size_t g = 0; g < parts.size(); ++g) error += ChooseIntegers(grid, parts[g], found[g], d, m, k[g], n[g]);
      if (error < best) {
        best = error;
        row.scale(first) = d;
        if (grid.minima) row.minimum(first) = m;
        for (size_t g = 0; g < parts.size(); ++g) {
          row.sub_scale(first + static_cast<int64_t>(g)) = static_cast<int8_t>(k[g]);
          if (grid.minima) row.sub_minimum(first + static_cast<int64_t>(g)) = static_cast<uint8_t>(n[g]);
        }
      }
      if (!grid.minima) break;
    }
  }
}

}  // namespace

GridCodes StartOnGrid(const GridProblem& problem, const Grid& grid, std::span<const float> scales) {
  const int64_t n = problem.columns, groups = grid.groups(n);
  GridCodes codes(grid, problem.rows, n);
  std::vector<double> diagonal;
  for (int64_t j = 0; j < n; ++j) diagonal.push_back(problem.moment[static_cast<size_t>(j * n + j)]);
  for (int64_t i = 0; i < problem.rows; ++i) {
    GridRow row(codes, grid, n, i);
    std::vector<Part> parts;
    for (int64_t g = 0; g < groups; ++g) {
      const auto begin = static_cast<size_t>(g * grid.group), size = static_cast<size_t>(grid.group);
      parts.push_back({problem.weights.subspan(static_cast<size_t>(i * n) + begin, size),
                       std::span<const double>(diagonal).subspan(begin, size)});
    }
    if (grid.given_scales) {
      for (int64_t g = 0; g < groups; ++g) row.scale(g) = scales[static_cast<size_t>(i * groups + g)];
    } else if (grid.two_levels()) {
      const int64_t per = grid.super / grid.group;
      for (int64_t g = 0; g < groups; g += per) {
        StoreTwoLevels(grid, std::span(parts).subspan(static_cast<size_t>(g), static_cast<size_t>(per)), row, g);
      }
    } else {
      for (int64_t g = 0; g < groups; ++g) {
        StoreOneLevel(grid, parts[static_cast<size_t>(g)], Search(grid, parts[static_cast<size_t>(g)]), row, g);
      }
    }
    for (int64_t j = 0; j < n; ++j) {
      const GroupScale scale = row.Of(j / grid.group);
      row.code(j) = static_cast<uint8_t>(scale.Nearest(grid, problem.weights[static_cast<size_t>(i * n + j)]));
    }
  }
  return codes;
}

}  // namespace bitwright::worker
