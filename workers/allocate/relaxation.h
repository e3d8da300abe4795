#pragma once

#include <cstdint>
#include <vector>

#include "workers/allocate/knapsack.h"

namespace bitwright::worker {

// The best choice of hull options that the relaxation reaches without splitting a step.
struct Relaxation {
  std::vector<int32_t> option;  // [units]
  int64_t bytes = 0;            // may exceed the budget only when `feasible` is false
  int64_t smallest = 0;         // bytes of the smallest choice
  double lambda = 0;            // saving per byte of the first step that does not fit; 0 when all fit
  bool feasible = false;
};

// table must be valid (Solve checks it). O(options) expected.
Relaxation Relax(OptionTable table, int64_t budget);

}  // namespace bitwright::worker
