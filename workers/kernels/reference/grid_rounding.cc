#include "workers/kernels/reference/grid_rounding.h"

#include "workers/kernels/reference/grid_feedback.h"
#include "workers/kernels/reference/grid_sweep.h"

namespace bitwright::worker {

double Objective(const GridProblem& problem, const Grid& grid, const GridCodes& codes) {
  GridCodes held = codes;
  return GridState(problem, grid, held).J();
}

GridRounding RoundOnGrid(const GridProblem& problem, const Grid& grid, const GridSteps& steps) {
  GridRounding result{StartOnGrid(problem, grid), {}};
  result.objective.push_back(Objective(problem, grid, result.codes));
  if (steps.feedback) {
    GridCodes fed = result.codes;
    FeedBack(problem, grid, fed);
    const double j = Objective(problem, grid, fed);
    if (j < result.objective.front()) result.codes = std::move(fed);
    result.objective.push_back(std::min(j, result.objective.front()));
  }
  GridState state(problem, grid, result.codes);
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
