#pragma once

#include <cstdint>
#include <vector>

#include "workers/kernels/lattice.h"
#include "workers/kernels/reference/grid_rounding.h"

namespace bitwright::worker {

// Rounding of a weight matrix on a lattice, by plain loops in f64: the truth that devices are held to. It lowers the
// same J as rounding on a grid does (grid_rounding.h); a problem's `order` counts for nothing here, because points are
// of neighbouring columns.
struct LatticeRounding {
  LatticeCodes codes;
  // [1 + steps] J after the start, and then after feedback and each later step in turn. It never rises.
  std::vector<double> objective;
};

// Scales from a search that weighs a column's error with H_jj, and the nearest points with these weights. No error is
// fed back: what a plain search block by block gives, and where RoundOnLattice begins.
LatticeCodes StartOnLattice(const GridProblem& problem, const Lattice& lattice);

// Start, feedback, sweeps and re-fit, eight columns (an octet) at a time.
//  Feedback: with H = M D Mᵀ and G = U D′ Uᵀ, M and U unit upper triangular, octets J in order and rows i in order,
//   a_iJ = Σ_{l before J} e_il M_lJ + Σ_{k<i} U_ki t_kJ with t = E M; the octet's numbers are chosen (ChooseOctet) for
//   w_iJ + a_iJ M_JJ⁻¹ with S = M_JJ D_J M_JJᵀ, of which J is then D′_i times the sum. For points of one column it is
//   the feedback of grid_rounding.h; for vectors and G = I see Tseng et al., QuIP#, arXiv 2402.04396, section 4.
//  Sweep: with R = G E H, an octet of small J while all others stand is chosen for q_iJ + R_iJ (G_ii H_JJ)⁻¹ with
//   S = H_JJ. For each group of columns of a row, its small scale as it is and its two neighbours are tried, each with
//   the group's octets chosen anew one after the other; what lowers J most stays. An octet that J would rise by stays
//   as it is while its scale does.
//  Re-fit: as on grids, of the super-scales.
// What feedback gives is given up for the start where that has the smaller J.
LatticeRounding RoundOnLattice(const GridProblem& problem, const Lattice& lattice, const GridSteps& steps);

// J of these codes.
double Objective(const GridProblem& problem, const Lattice& lattice, const LatticeCodes& codes);

}  // namespace bitwright::worker
