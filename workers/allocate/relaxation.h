#pragma once

#include <cstdint>
#include <vector>

#include "workers/allocate/knapsack.h"

namespace bitwright::worker {

// The linear relaxation of the multiple-choice knapsack (Sinha & Zoltners, Operations Research 27, 1979). Of each unit
// only the options on the lower convex hull of (bytes, loss) can be part of its solution. Starting from the smallest
// options, the steps along all hulls are taken in order of falling saving per byte until the budget is full; only the
// last one may have to be split. This is the choice that is reached without splitting it.
struct Relaxation {
  std::vector<int32_t> option;  // [units]
  int64_t bytes = 0;            // may exceed the budget only when `feasible` is false
  int64_t smallest = 0;         // bytes of the smallest choice
  double lambda = 0;            // saving per byte of the first step that does not fit, the multiplier; 0 when all fit
  bool feasible = false;
};

// table must be valid (Solve checks it). Expected time is linear in the steps once the hulls are built.
Relaxation Relax(OptionTable table, int64_t budget);

}  // namespace bitwright::worker
