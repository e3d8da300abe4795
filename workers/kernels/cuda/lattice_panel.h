#pragma once

#include "workers/kernels/cuda/lattice_rows.h"
#include "workers/kernels/cuda/ldlq_panel.h"

namespace bitwright::worker::cuda {

// One panel of feedback on a lattice, columns in their own order: eight columns are chosen for what earlier errors make
// of them, with what they cost once all later columns have made up for them.
//   forms   [columns / 8] M_JJ D_J M_JJᵀ of each octet J
//   sums    [rows, stride] Σ_i e_i M_ij over the errors of earlier panels
//   errors  [rows, kPanel] out: e = w − q, zeros past the row's end
// Points, signs and values are written, with the scales that stand.
cudaError_t RoundPanelOnLattice(const LatticeRows& rows, const LdlqPanel& panel, const OctetForms* forms,
                                const float* sums, float* errors, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
