#pragma once

#include "workers/kernels/cuda/grid_sweep.h"
#include "workers/kernels/cuda/lattice_rows.h"

namespace bitwright::worker::cuda {

// For each group of the block in order: its small scale as it is and its neighbours, each with the group's octets
// chosen anew one after the other for where J is least while all others stand; what lowers J most stays. With the scale
// that stands, an octet whose change would raise J stays as it is.
//   forms  [columns / 8] H'_JJ of each octet J
cudaError_t SweepLattice(const LatticeRows& rows, const OctetForms* forms, const SweptBlock& block,
                         cudaStream_t stream);

}  // namespace bitwright::worker::cuda
