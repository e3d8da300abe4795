#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// FAILED_PRECONDITION, reason BUDGET_BELOW_SMALLEST_PLAN.
absl::Status BudgetBelowSmallestPlan(int64_t budget, int64_t smallest);

// INVALID_ARGUMENT, reason OPTIONS_INVALID.
absl::Status OptionsInvalid(int64_t unit, std::string_view what);

}  // namespace bitwright::worker
