#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workers/kernels/grid.h"

namespace bitwright::worker {

// Rounding of a weight matrix W [rows, columns] on any grid, by plain loops in f64: the truth that devices are held to.
// With E = W − Q it lowers
//   J = tr(G E H Eᵀ),
// the loss to second order when the curvature is the Kronecker product of the output-gradient moment G [rows, rows] and
// the input moment H [columns, columns] (Martens & Grosse, arXiv 1503.05671). Both are positive definite: whoever calls
// has damped them.
struct GridProblem {
  int64_t rows = 0;
  int64_t columns = 0;
  std::span<const double> weights;          // [rows, columns]
  std::span<const double> moment;           // H
  std::span<const double> gradient_moment;  // G; empty: the identity
  std::span<const int32_t> order;           // [columns] in which feedback takes the columns; empty: as they are
};

struct GridRounding {
  GridCodes codes;
  // [1 + steps] J after the start, and then after feedback and each later step in turn. It never rises.
  std::vector<double> objective;
};

// Each group's scale and minimum from a search that weighs a column's error with H_jj, codes to the nearest value. No
// error is fed back: what a plain search block by block gives, and where RoundOnGrid begins.
//   scales: as in GridSteps
GridCodes StartOnGrid(const GridProblem& problem, const Grid& grid, std::span<const float> scales = {});

// Start, feedback, sweeps and re-fit.
//  Feedback: with H = M D Mᵀ and G = U D′ Uᵀ, M and U unit upper triangular, columns in order and rows in order,
//   f_ij = Σ_{l<j} e_il M_lj, t_ij = f_ij + e_ij, and code ij is the one nearest to w_ij + f_ij + Σ_{k<i} U_ki t_kj.
//   Then J = Σ D′_i D_j (z_ij − q_ij)². For G = I this is LDLQ (Chee et al., arXiv 2307.13304); both sides: Tseng et
//   al., arXiv 2505.22988.
//  Sweep: with R = G E H, a code of least J while all others stand is the one nearest to q_ij + R_ij / (G_ii H_jj). For
//   each group of columns of a row, its scale and minimum as they are and their neighbours are tried, each with the
//   group's codes chosen anew one after the other; what lowers J most stays.
//  Re-fit: J is quadratic in the scales and minima of the first level when codes stand. A dozen steps of conjugate
//   gradients, each row then keeps its new ones, as they are stored, where they lower J.
// What feedback gives is given up for the start where that has the smaller J.
GridRounding RoundOnGrid(const GridProblem& problem, const Grid& grid, const GridSteps& steps);

// J of these codes.
double Objective(const GridProblem& problem, const Grid& grid, const GridCodes& codes);

}  // namespace bitwright::worker
