#pragma once

#include "workers/kernels/cuda/grid_start.h"
#include "workers/kernels/cuda/grid_sweep.h"
#include "workers/kernels/grid.h"

namespace bitwright::worker::cuda {

// What every implementation of rounding on grids tries (workers/kernels/grid_search.h), as kernels are given it.
GridSearch StartTries(const Grid& grid);
GridTrials SweepTries(const Grid& grid);

}  // namespace bitwright::worker::cuda
