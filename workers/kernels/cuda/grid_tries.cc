#include "workers/kernels/cuda/grid_tries.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "proto/base/log.h"
#include "workers/kernels/grid_search.h"

namespace bitwright::worker::cuda {

GridSearch StartTries(const Grid& grid) {
  GridSearch search{};
  const double low = grid.codebook.front(), high = grid.codebook.back();
  std::vector<float> scales;
  const auto add = [&](double factor) { scales.push_back(static_cast<float>(factor)); };
  for (int k = 0; k < kGridFactors; ++k) {
    const double factor = kLeastGridFactor + (kMostGridFactor - kLeastGridFactor) * k / (kGridFactors - 1);
    if (grid.minima || grid.zero_points) {
      add(factor / (high - low));
      continue;
    }
    for (const double end : {low, high}) {
      if (end == 0 || (end == high && -low == high)) continue;
      add(factor / std::abs(end));
      if (grid.both_signs()) add(-factor / std::abs(end));
    }
  }
  CHECK(scales.size() <= GridSearch::kMostScales) << scales.size();
  search.scales = static_cast<int>(scales.size());
  std::ranges::copy(scales, search.scale);
  search.fits = kGridFits;
  for (const double factor : kGridStoredFactors) search.of_found[search.stored++] = static_cast<float>(factor);
  if (!grid.two_levels()) return search;
  for (const int end : {grid.most_scale, grid.least_scale}) {
    if (end == 0 || (end < 0 && end == grid.most_scale)) continue;
    for (const double factor : kGridSuperFactors) {
      for (const double of_minimum : kGridSuperMinimumFactors) {
        if (!grid.minima && of_minimum != 1) continue;
        CHECK(search.supers < GridSearch::kMostSupers);
        search.super_scale[search.supers] = static_cast<float>(factor / end);
        search.super_minimum[search.supers++] = static_cast<float>(of_minimum / std::max(1, grid.most_minimum));
      }
    }
  }
  return search;
}

GridTrials SweepTries(const Grid& grid) {
  GridTrials trials;
  const auto add = [&](const GridTrial& trial) {
    CHECK(trials.count < GridTrials::kMost);
    trials.of[trials.count++] = trial;
  };
  add({});
  if (grid.given_scales) return trials;
  if (grid.two_levels()) {
    const int reach = grid.minima ? 1 : 0;
    for (int dk = -1; dk <= 1; ++dk) {
      for (int dn = -reach; dn <= reach; ++dn) {
        if (dk != 0 || dn != 0) add({.first = static_cast<float>(dk), .second = static_cast<float>(dn)});
      }
    }
    return trials;
  }
  for (const float step : GridScaleSteps(grid.scale_type)) add({.scale = step});
  for (const float step : kGridMinimumSteps) {
    if (grid.minima) add({.minimum = step});
  }
  for (const float step : {-1.0f, 1.0f}) {
    if (grid.zero_points) add({.second = step});
  }
  return trials;
}

}  // namespace bitwright::worker::cuda
