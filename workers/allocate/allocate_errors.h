#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// FAILED_PRECONDITION, reason BUDGET_BELOW_SMALLEST_PLAN.
absl::Status BudgetBelowSmallestPlanError(int64_t budget, int64_t smallest);

// INVALID_ARGUMENT, reason OPTIONS_INVALID.
absl::Status OptionsInvalidError(int64_t unit, std::string_view what);

}  // namespace bitwright::worker
