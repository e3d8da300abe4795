#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// One way to store a unit.
struct Option {
  int64_t bytes = 0;  // ≥ 0, exact
  double loss = 0;    // finite; nats per token; may be negative (a measurement can be)
};

// The options of all units, flat: unit c has options[offsets[c]] … options[offsets[c + 1] − 1], at least one.
// Does not own.
struct OptionTable {
  std::span<const Option> options;
  std::span<const int64_t> offsets;  // [units + 1], from 0 to options.size()
};

// Options unit by unit, as a table.
class FlatOptions {
 public:
  explicit FlatOptions(std::span<const std::vector<Option>> units);
  OptionTable table() const { return {options_, offsets_}; }

 private:
  std::vector<Option> options_;
  std::vector<int64_t> offsets_ = {0};
};

// INVALID_ARGUMENT, reason OPTIONS_INVALID: no option, negative or too many bytes, a loss that is not finite.
absl::Status CheckOptions(OptionTable table);

struct SolveLimits {
  int64_t states = 4'000'000;  // partial plans that the exact search may look at: bounds its time and memory
};

// One option per unit within the budget, and what is known about every other such choice.
struct Choice {
  std::vector<int32_t> option;  // [units] index into the unit's options
  int64_t bytes = 0;            // Σ, ≤ budget
  double loss = 0;              // Σ, in order of units
  double bound = 0;             // no choice within the budget has a smaller loss; ≤ loss
  double lambda = 0;  // multiplier of the relaxation: loss that one byte more would save; 0 when nothing binds
  bool proved_optimal = false;  // loss − bound ≤ 1e-10 · |loss|
};

// Multiple-choice knapsack: least Σ loss with Σ bytes ≤ budget.
// 1. Relaxation: lower convex hull of each unit's options; the steps of all hulls are taken by falling saving per byte
//    until one does not fit (selection in linear time). Its value is the Lagrangian bound (Sinha & Zoltners 1979).
// 2. Exact search from there (dynamic programming with bounds, after Pisinger 1995) over the options whose reduced cost
//    leaves room for a better plan, within limits.states.
// Ties: steps of equal saving per byte go to the unit of lower index first; of equal options the one of lower index
// counts; a plan is replaced only by one of strictly smaller loss. So the result depends on the input alone.
// Errors: FAILED_PRECONDITION, reason BUDGET_BELOW_SMALLEST_PLAN (metadata: budget, smallest);
//         those of CheckOptions.
// Pure and thread-safe.
absl::StatusOr<Choice> Solve(OptionTable table, int64_t budget, const SolveLimits& limits = {});
absl::StatusOr<Choice> Solve(std::span<const std::vector<Option>> units, int64_t budget,
                             const SolveLimits& limits = {});

}  // namespace bitwright::worker
