#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/allocate/knapsack.h"

namespace bitwright::worker {

// One choice of the front.
struct FrontChoice {
  std::vector<int32_t> option;  // [units] index into the unit's options
  int64_t bytes = 0;            // Σ
  double loss = 0;              // Σ
};

// Numbers of `most` of `all` things, rising and evenly spread, both ends among them; of all where there are no more.
std::vector<size_t> EvenlySpread(size_t all, size_t most);

// The convex part of the Pareto front of all choices of one option per unit: those that some multiplier λ makes optimal
// for Σ loss + λ · bytes. None of them can be had with less loss in as many bytes. From the smallest choice every
// further one takes one more step along the hulls (hull_steps.h), in order of falling saving per byte, up to that of
// least loss. Rising bytes, falling loss; both ends are there, and where there are more than `most` ≥ 2 choices so many
// of them, evenly by number. Errors: OPTIONS_INVALID, as Solve. Pure and thread-safe.
absl::StatusOr<std::vector<FrontChoice>> ParetoFront(std::span<const std::vector<Option>> units, size_t most);

}  // namespace bitwright::worker
