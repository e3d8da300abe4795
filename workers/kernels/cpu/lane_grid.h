#pragma once

#include <cstdint>

#include "workers/kernels/grid.h"

// Loops over groups of columns of 64 rows side by side, for rounding on any grid. As in row_lanes.h: arrays are
// [columns, 64] or [64], a lane is a row, and no sum crosses lanes.
namespace bitwright::worker {

// A grid's codebook as lanes search it: the nearest of values c_0 < c_1 < … to x is c_0 plus the steps of all middles
// below x. Consecutive integers need no search.
struct LaneGrid {
  explicit LaneGrid(const Grid& grid);

  float codebook[256];
  float middle[256];
  float step[256];
  int count = 0;
  bool consecutive = false;
  DType type;
};

// Scales and minima [64], multiplied out.
struct LaneScales {
  const float* scale;
  const float* minimum;
};

// error = Σ_j h_j (w_j − value of the nearest code)². w [columns, 64], h [columns].
void GroupErrors(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales,
                 float* error);

// Sums for a least-squares fit of scale and minimum to the nearest codes: Σ h c², Σ h c and Σ h c w, each [64].
void GroupSums(const LaneGrid& grid, const float* w, const float* h, int64_t columns, LaneScales scales, float* cc,
               float* c, float* cw);

// Codes of a group chosen anew one after the other, each the best given those before it (GridState::ChooseCodes of the
// reference).
//   held [columns, 64] values as they are; r [columns, 64] of E H, used up; h [columns, 128] H within the group, rows
//   128 apart; values and codes [columns, 64] and gain [64]: out
void ChooseGroup(const LaneGrid& grid, const float* held, float* r, const float* h, int64_t columns, LaneScales scales,
                 float* values, uint8_t* codes, float* gain);

}  // namespace bitwright::worker
