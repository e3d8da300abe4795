#include "workers/kernels/reference/grid_sweep.h"

#include <algorithm>
#include <optional>

#include "workers/kernels/grid_search.h"
#include "workers/kernels/stored_scale.h"

namespace bitwright::worker {
namespace {

// A scale and minimum that a group may change to, multiplied out and as stored.
struct Neighbour {
  GroupScale of;
  float scale = 0, minimum = 0;  // one level
  int k = 0, n = 0;              // two levels
};

std::vector<Neighbour> Neighbours(const Grid& grid, GridRow& row, int64_t group) {
  const float scale = row.scale(group), minimum = grid.minima ? row.minimum(group) : row.Of(group).minimum;
  std::vector<Neighbour> all;
  if (grid.given_scales) return all;
  if (!grid.two_levels()) {
    const auto add = [&](double s, double m) {
      const float stored = StoredScale(grid, s);
      const float stored_minimum = grid.minima ? StoredScale(grid, m) : static_cast<float>(m);
      if (std::isfinite(stored) && std::isfinite(stored_minimum)) {
        all.push_back({{stored, stored_minimum}, stored, stored_minimum, 0, 0});
      }
    };
    for (const double step : GridScaleSteps(grid.scale_type)) add(scale * step, minimum);
    for (const double step : kGridMinimumSteps) {
      if (grid.minima) add(scale, minimum + step * std::abs(scale));
    }
    for (const float step : {-1.0f, 1.0f}) {
      if (grid.zero_points) add(scale, std::clamp(minimum + step, grid.codebook.front(), grid.codebook.back()));
    }
    return all;
  }
  const int reach = grid.minima ? 1 : 0;
  for (int dk = -1; dk <= 1; ++dk) {
    for (int dn = -reach; dn <= reach; ++dn) {
      const int k = std::clamp(row.sub_scale(group) + dk, grid.least_scale, grid.most_scale);
      const int n = grid.minima ? std::clamp(row.sub_minimum(group) + dn, 0, grid.most_minimum) : 0;
      all.push_back({{scale * static_cast<float>(k), minimum * static_cast<float>(n)}, scale, minimum, k, n});
    }
  }
  return all;
}

void Store(const Grid& grid, const Neighbour& chosen, GridRow& row, int64_t group) {
  if (grid.two_levels()) {
    row.sub_scale(group) = static_cast<int8_t>(chosen.k);
    if (grid.minima) row.sub_minimum(group) = static_cast<uint8_t>(chosen.n);
  } else {
    row.scale(group) = chosen.scale;
    if (grid.minima) row.minimum(group) = chosen.minimum;
    if (grid.zero_points) row.zero(group) = static_cast<int8_t>(chosen.minimum);
  }
}

}  // namespace

GridState::GridState(const GridProblem& problem, const Grid& grid, GridCodes& codes)
    : problem_(problem),
      grid_(grid),
      codes_(codes),
      error_(problem, ValuesOf(codes, grid, problem.rows, problem.columns)) {}

GridState::Trial GridState::ChooseCodes(int64_t row, int64_t group, GroupScale scale) const {
  const int64_t begin = group * grid_.group, at = row * problem_.columns + begin;
  const double g = error_.G(row, row);
  std::vector<double> r(error_.r().begin() + at, error_.r().begin() + at + grid_.group);
  Trial trial{std::vector<uint8_t>(static_cast<size_t>(grid_.group)), 0};
  for (int64_t j = 0; j < grid_.group; ++j) {
    const double* h = error_.H(begin + j) + begin;
    const double held = error_.Value(row, begin + j);
    const int code = scale.Nearest(grid_, held + r[static_cast<size_t>(j)] / (g * h[j]));
    trial.codes[static_cast<size_t>(j)] = static_cast<uint8_t>(code);
    const double delta = scale.Value(grid_, code) - held;
    trial.gain += delta * (2 * r[static_cast<size_t>(j)] - delta * g * h[j]);
    for (int64_t l = j + 1; l < grid_.group; ++l) r[static_cast<size_t>(l)] -= delta * g * h[l];
  }
  return trial;
}

void GridState::SweepGroup(int64_t row, int64_t group) {
  GridRow at(codes_, grid_, problem_.columns, row);
  Trial best = ChooseCodes(row, group, at.Of(group));
  std::optional<Neighbour> chosen;
  for (const Neighbour& neighbour : Neighbours(grid_, at, group)) {
    Trial trial = ChooseCodes(row, group, neighbour.of);
    if (trial.gain <= best.gain) continue;
    best = std::move(trial);
    chosen = neighbour;
  }
  if (!(best.gain > 0)) return;  // two choices of equal J would change places for ever
  if (chosen.has_value()) Store(grid_, *chosen, at, group);
  const GroupScale scale = at.Of(group);
  std::vector<double> values;
  for (int64_t j = 0; j < grid_.group; ++j) {
    const uint8_t code = best.codes[static_cast<size_t>(j)];
    at.code(group * grid_.group + j) = code;
    values.push_back(scale.Value(grid_, code));
  }
  error_.Replace(row, group * grid_.group, values);
}

void GridState::Sweep() {
  for (int64_t g = 0; g < grid_.groups(problem_.columns); ++g) {
    for (int64_t i = 0; i < problem_.rows; ++i) SweepGroup(i, g);
  }
}

}  // namespace bitwright::worker
