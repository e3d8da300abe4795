#include "workers/kernels/reference/grid_rounding.h"

#include "workers/kernels/reference/grid_feedback.h"
#include "workers/kernels/reference/grid_sweep.h"
#include "workers/kernels/reference/rounding_steps.h"

namespace bitwright::worker {

double Objective(const GridProblem& problem, const Grid& grid, const GridCodes& codes) {
  GridCodes held = codes;
  return GridState(problem, grid, held).J();
}

GridRounding RoundOnGrid(const GridProblem& problem, const Grid& grid, const GridSteps& steps) {
  return TakeSteps<GridState, GridRounding>(problem, grid, StartOnGrid(problem, grid, steps.scales), steps);
}

}  // namespace bitwright::worker
