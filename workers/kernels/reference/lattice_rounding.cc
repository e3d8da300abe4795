#include "workers/kernels/reference/lattice_rounding.h"

#include <algorithm>

#include "workers/kernels/reference/lattice_state.h"

namespace bitwright::worker {

double Objective(const GridProblem& problem, const Lattice& lattice, const LatticeCodes& codes) {
  return RoundingError(problem, ValuesOf(codes, lattice, problem.rows, problem.columns)).J();
}

LatticeRounding RoundOnLattice(const GridProblem& problem, const Lattice& lattice, const GridSteps& steps) {
  LatticeRounding result{StartOnLattice(problem, lattice), {}};
  result.objective.push_back(Objective(problem, lattice, result.codes));
  if (steps.feedback) {
    LatticeCodes fed = result.codes;
    FeedBack(problem, lattice, fed);
    const double j = Objective(problem, lattice, fed);
    if (j < result.objective.front()) result.codes = std::move(fed);
    result.objective.push_back(std::min(j, result.objective.front()));
  }
  LatticeState state(problem, lattice, result.codes);
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
