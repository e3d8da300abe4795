#pragma once

#include "workers/kernels/cpu/lane_grid.h"
#include "workers/kernels/cuda/scale_search.h"

namespace bitwright::worker::cuda {

// LDLQ (Rounding::RoundLdlq) one panel of columns at a time: rows are rounded within the panel, and a product then adds
// their errors to the sums of all later columns.
inline constexpr int kPanel = 128;

// Rows on their way through LDLQ. Scratch arrays [rows, stride] are by position.
struct LdlqRows {
  const float* w;     // [rows, stride], zeros past the row's end
  const float* sums;  // [rows, stride] Σ_i e_i M_ij over the errors of earlier panels
  float* errors;      // [rows, kPanel] out: e = w − q of this panel, zeros past the row's end
  int64_t rows;
  int64_t stride;
  double* loss;         // [rows] adds Σ_j D_j (z_j − q_j)²
  double* squared;      // [rows] adds Σ_j e_j²
  float* scales;        // [rows, groups] by column
  const float* minima;  // likewise; null: none
  int64_t group;
  int64_t columns;
  void* codes;  // [rows, columns] out: i8 of integers, u8 of grids, by column
};

struct LdlqPanel {
  int64_t begin;
  int width;             // ≤ kPanel
  const float* m;        // [·, stride] M, zeros past its end
  const float* d;        // [·] by position
  const int32_t* order;  // [·] column at each position
};

// Symmetric integers. dynamic: scales are chosen here, with `importance` [columns], when their group is reached; the
// group divides kPanel, is a multiple of 4, and columns are in order. Else they are given.
cudaError_t RoundPanel(const LdlqRows& rows, const LdlqPanel& panel, const ScaleSearch& search, bool dynamic,
                       const float* importance, cudaStream_t stream);
// Any grid, with the scales that are given; `grid` lies in the card's memory.
cudaError_t RoundPanelOnGrid(const LdlqRows& rows, const LdlqPanel& panel, const LaneGrid* grid, cudaStream_t stream);

}  // namespace bitwright::worker::cuda
