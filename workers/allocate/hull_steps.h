#pragma once

#include <cstdint>
#include <vector>

#include "workers/allocate/knapsack.h"

namespace bitwright::worker {

// From one option of a unit's lower convex hull of (bytes, loss) to the next: `bytes` more for slope · bytes less loss.
struct HullStep {
  double slope;
  int64_t bytes;
  int32_t unit;
  int32_t option;  // where it leads
};

// By falling slope; among equal slopes the unit of lower index comes first. The slopes along one hull fall strictly, so
// this order never takes a later step of a unit before an earlier one.
bool TakenBefore(const HullStep& a, const HullStep& b);

// The hulls of all units, each from the smallest option (of equal ones that of least loss) to the one of least loss.
struct HullSteps {
  std::vector<int32_t> smallest;  // [units] where each hull begins
  int64_t bytes = 0;              // of that choice
  double loss = 0;                // likewise, summed in order of units
  std::vector<HullStep> steps;    // of all units, in no order between them
};

// table must be valid (Solve checks it).
HullSteps StepsOf(OptionTable table);

}  // namespace bitwright::worker
