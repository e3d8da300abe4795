#pragma once

#include <algorithm>
#include <utility>

#include "workers/kernels/reference/grid_rounding.h"

namespace bitwright::worker {

// What follows the start of rounding: feedback, kept where it is better, sweeps, re-fit and sweeps again, each with the
// J that it leaves. The same on grids and on lattices: FeedBack and Objective are overloaded, and a State sweeps.
template <typename State, typename Rounding, typename Values>
Rounding TakeSteps(const GridProblem& problem, const Values& on, decltype(Rounding::codes) start,
                   const GridSteps& steps) {
  Rounding result{std::move(start), {}};
  result.objective.push_back(Objective(problem, on, result.codes));
  if (steps.feedback) {
    auto fed = result.codes;
    FeedBack(problem, on, fed);
    const double j = Objective(problem, on, fed);
    if (j < result.objective.front()) result.codes = std::move(fed);
    result.objective.push_back(std::min(j, result.objective.front()));
  }
  State state(problem, on, result.codes);
  const auto sweep = [&](int count) {
    for (int k = 0; k < count; ++k) {
      state.Sweep();
      result.objective.push_back(state.J());
    }
  };
  sweep(steps.sweeps);
  if (!steps.refit) return result;
  state.RefitScales();
  result.objective.push_back(state.J());
  sweep(steps.sweeps_after);
  return result;
}

}  // namespace bitwright::worker
