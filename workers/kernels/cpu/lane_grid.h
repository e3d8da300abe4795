#pragma once

#include <cstdint>

#include "workers/kernels/grid.h"

// Loops over groups of columns of 64 rows side by side, for rounding on any grid. As in row_lanes.h: arrays are
// [columns, 64] or [64], a lane is a row, and no sum crosses lanes.
namespace bitwright::worker {

// How the nearest value of a codebook is found.
enum class LaneSearch : uint8_t {
  kSteps,        // of values c_0 < c_1 < …, the nearest to x is c_0 plus the steps of all middles below x
  kIntegers,     // consecutive ones
  kZeroPoints,   // consecutive ones less that of the group
  kSmallFloats,  // by rounding to so many bits
};

// A grid's codebook as lanes search it.
struct LaneGrid {
  explicit LaneGrid(const Grid& grid);

  float codebook[256];
  float middle[256];
  float step[256];
  int count = 0;
  LaneSearch search = LaneSearch::kSteps;
  int fraction_bits = 0;  // of small floats, and the smallest power of two among them with all of these
  float least_power = 0;
  DType type;
};

// Scales and minima (or zero points) [64], multiplied out.
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
