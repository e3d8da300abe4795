#include "workers/kernels/reference/lattice_rounding.h"

#include "workers/kernels/reference/lattice_state.h"
#include "workers/kernels/reference/rounding_steps.h"

namespace bitwright::worker {

double Objective(const GridProblem& problem, const Lattice& lattice, const LatticeCodes& codes) {
  return RoundingError(problem, ValuesOf(codes, lattice, problem.rows, problem.columns)).J();
}

LatticeRounding RoundOnLattice(const GridProblem& problem, const Lattice& lattice, const GridSteps& steps) {
  return TakeSteps<LatticeState, LatticeRounding>(problem, lattice, StartOnLattice(problem, lattice), steps);
}

}  // namespace bitwright::worker
