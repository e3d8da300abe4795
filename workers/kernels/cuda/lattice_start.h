#pragma once

#include "workers/kernels/cuda/lattice_rows.h"

namespace bitwright::worker::cuda {

// Scales from a search that weighs the error of column j with element j of the diagonal of the moment, whose rows are
// rows.stride apart; the nearest points, and their values.
cudaError_t StartRows(const LatticeRows& rows, const float* moment, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
