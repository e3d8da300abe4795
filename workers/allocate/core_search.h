#pragma once

#include <cstdint>
#include <vector>

#include "workers/allocate/knapsack.h"

namespace bitwright::worker {

// The search behind Solve, after the core idea of Pisinger, "A minimal algorithm for the multiple-choice knapsack
// problem" (European Journal of Operational Research 83, 1995): near the optimum of the relaxation only a few units
// choose differently in the best plan, so it is cheap to look at changes against that optimum, most promising first.
//
// A plan is written as its changes against a start plan that minimizes Σ loss + λ · bytes and leaves `slack` ≥ 0 bytes
// of the budget unused. Its excess over the Lagrangian bound is E = λ · slack + Σ (loss_k − loss_start); the start's
// own excess is λ · slack.
struct CoreProblem {
  OptionTable table;
  const std::vector<int32_t>* start = nullptr;  // [units]
  double lambda = 0;
  int64_t slack = 0;
  double tolerance = 0;  // differences of E that do not matter
};

struct CoreResult {
  struct Change {
    int32_t unit;
    int32_t option;
  };
  std::vector<Change> changes;
  double excess = 0;  // E of the plan
  double lower = 0;   // no plan has a smaller E; equals excess (within tolerance) when the search was exhaustive
  bool exhausted = false;
};

// Looks for the plan of least excess. `states` bounds how many partial plans are looked at; past that the search keeps
// the most promising ones, and `lower` says what it may have missed.
CoreResult SearchCore(const CoreProblem& problem, int64_t states);

}  // namespace bitwright::worker
