#pragma once

#include <cstdint>

#include "workers/kernels/cpu/lane_grid.h"
#include "workers/kernels/rounding.h"
#include "workers/tensor/dtype.h"

// The inner loops of rounding. In RTN and in GPTQ (Frantar et al., arXiv 2210.17323) the rows of a weight matrix never
// influence each other, while the columns of a row depend on those before them. So 64 rows are worked on side by side,
// one per lane, with the weights transposed to [columns, kLaneRows]; a loop then runs down the columns as the algorithm
// asks. No sum crosses lanes: within a compute class the results depend on the input alone.
namespace bitwright::worker {

inline constexpr int64_t kLaneRows = 64;  // rows side by side: 4 registers of AVX-512
// Columns between two products with all earlier errors. Every group size divides it.
inline constexpr int64_t kLaneBlock = 128;

// absmax[kLaneRows] over columns of w [columns, kLaneRows].
void LaneAbsMax(const float* w, int64_t columns, float* absmax);

// The scale that minimizes Σ_j weight_j (w_j − code·scale)² among clip factors of `start` [kLaneRows], each rounded to
// grid.type first. On a tie the factor that comes first in the list. A zero start stays.
//   weights f32 [columns]; factors f32 [count], the first is the starting value
void SearchLaneScales(const float* w, int64_t columns, const float* weights, const float* factors, int64_t count,
                      const IntGrid& grid, const float* start, float* scales);

// codes i8 [columns, kLaneRows] = clamp(round half to even(w / scale)); the quotient is rounded to quotient_type first.
void RoundLanesToNearest(const float* w, int64_t columns, const float* scales, int bits, DType quotient_type,
                         int8_t* codes);

// One block of columns on its way through LDLQ (Rounding::RoundLdlq explains the recursion and its symbols). Columns
// are counted from the start of the block; all arrays are [kLaneBlock, kLaneRows] unless stated.
struct LdlqBlock {
  const float* w;                        // weights
  float* a;                              // Σ over earlier columns i of (w_i − q_i)·M_ij
  float* e;                              // out: w − q
  int8_t* codes;                         // out
  const float* m;                        // [kLaneBlock, kLaneBlock]: m[j·kLaneBlock + i] = M_ij for i < j
  const float* d;                        // [kLaneBlock]
  const float* const* scales;            // [kLaneBlock] pointers to [kLaneRows]
  double* loss;                          // [kLaneRows], adds Σ_j D_j (z_j − q_j)²
  double* error;                         // [kLaneRows], adds Σ_j e_j²
  const float* const* minima = nullptr;  // [kLaneBlock] pointers to [kLaneRows]; on grids
};

// a_j += Σ_{i in [0, begin)} e_i M_ij for j in [begin, end).
void AddEarlierErrors(const LdlqBlock& block, int64_t begin, int64_t end);

// The weights of columns [begin, end) as GPTQ in its original form sees them when it reaches `begin`: there each
// rounding error is spread at once over all later columns so as to raise the loss least. With S the columns [begin,
// end), the spread x solves x M_SS = a_S, by substitution since M_SS is triangular, and the result is w + x. a must be
// up to date. spread, standing: [kLaneBlock, kLaneRows], written in [begin, end).
void StandingValues(const LdlqBlock& block, int64_t begin, int64_t end, float* spread, float* standing);

// Rounds columns [begin, end) one after the other: z_j = w_j + a_j + Σ_{i in [begin, j)} e_i M_ij.
void RoundColumns(const LdlqBlock& block, int64_t begin, int64_t end, const IntGrid& grid);

// The same on any grid; codes are then u8.
void RoundColumnsOnGrid(const LdlqBlock& block, int64_t begin, int64_t end, const LaneGrid& grid);

// to_j −= Σ_{i in [i0, i1)} e_i m[j·kLaneBlock + i] for j in [j0, j1); e and to [kLaneBlock, kLaneRows].
void SubtractProducts(const float* e, const float* m, int64_t i0, int64_t i1, int64_t j0, int64_t j1, float* to);

}  // namespace bitwright::worker
