#include "workers/allocate/knapsack.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "workers/allocate/allocate_errors.h"
#include "workers/allocate/core_search.h"
#include "workers/allocate/relaxation.h"
#include "workers/base/checked.h"

namespace bitwright::worker {
namespace {

// A plan counts as optimal when no other can be better by more than this share of its loss: past that the sums' own
// rounding decides.
constexpr double kTolerance = 1e-10;

void AddUp(OptionTable table, Choice& choice) {
  choice.bytes = 0;
  choice.loss = 0;
  for (size_t c = 0; c < choice.option.size(); ++c) {
    const Option& option = table.options[table.offsets[c] + choice.option[c]];
    choice.bytes += option.bytes;
    choice.loss += option.loss;
  }
}

}  // namespace

FlatOptions::FlatOptions(std::span<const std::vector<Option>> units) {
  for (const std::vector<Option>& unit : units) {
    options_.insert(options_.end(), unit.begin(), unit.end());
    offsets_.push_back(static_cast<int64_t>(options_.size()));
  }
}

absl::Status CheckOptions(OptionTable table) {
  int64_t total = 0;
  for (int64_t c = 0; c + 1 < static_cast<int64_t>(table.offsets.size()); ++c) {
    if (table.offsets[c] >= table.offsets[c + 1]) return OptionsInvalidError(c, "there is none");
    int64_t most = 0;
    for (int64_t k = table.offsets[c]; k < table.offsets[c + 1]; ++k) {
      const Option& option = table.options[k];
      if (option.bytes < 0) return OptionsInvalidError(c, "negative bytes");
      if (!std::isfinite(option.loss)) return OptionsInvalidError(c, "a loss is not a finite number");
      most = std::max(most, option.bytes);
    }
    const std::optional<int64_t> sum = CheckedAdd(total, most);
    if (!sum) return OptionsInvalidError(c, "the sum of bytes passes 2^63");
    total = *sum;
  }
  return absl::OkStatus();
}

absl::StatusOr<Choice> Solve(OptionTable table, int64_t budget, const SolveLimits& limits) {
  if (absl::Status status = CheckOptions(table); !status.ok()) return status;
  Relaxation relaxed = Relax(table, budget);
  if (!relaxed.feasible) return BudgetBelowSmallestPlanError(budget, relaxed.smallest);
  Choice choice;
  choice.option = std::move(relaxed.option);
  choice.lambda = relaxed.lambda;
  AddUp(table, choice);
  const int64_t slack = budget - choice.bytes;
  if (relaxed.lambda == 0 || slack == 0) {  // every step was taken, or the last one ended at the budget
    choice.bound = choice.loss;
    choice.proved_optimal = true;
    return choice;
  }
  const double relaxation = choice.loss - relaxed.lambda * static_cast<double>(slack);
  const double tolerance = kTolerance * std::abs(choice.loss) / 2;
  const CoreResult core = SearchCore({table, &choice.option, relaxed.lambda, slack, tolerance}, limits.states);
  for (const CoreResult::Change& change : core.changes) choice.option[change.unit] = change.option;
  AddUp(table, choice);
  choice.proved_optimal = core.exhausted || choice.loss - (relaxation + core.lower) <= 2 * tolerance;
  choice.bound = choice.proved_optimal ? choice.loss : std::min(choice.loss, relaxation + core.lower);
  return choice;
}

absl::StatusOr<Choice> Solve(std::span<const std::vector<Option>> units, int64_t budget, const SolveLimits& limits) {
  return Solve(FlatOptions(units).table(), budget, limits);
}

}  // namespace bitwright::worker
