#include "workers/allocate/allocate_errors.h"

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status BudgetBelowSmallestPlanError(int64_t budget, int64_t smallest) {
  return MakeError(
      absl::StatusCode::kFailedPrecondition, "BUDGET_BELOW_SMALLEST_PLAN",
      absl::StrCat("the budget leaves ", budget, " bytes for quantized weights, but the smallest plan takes ", smallest,
                   ": raise the budget, or allow fewer bits or larger groups"),
      {{"budget", absl::StrCat(budget)}, {"smallest", absl::StrCat(smallest)}});
}

absl::Status OptionsInvalidError(int64_t unit, std::string_view what) {
  return MakeError(
      absl::StatusCode::kInvalidArgument, "OPTIONS_INVALID",
      absl::StrCat("the options of unit ", unit, " cannot be compared: ", absl::string_view(what.data(), what.size())),
      {{"unit", absl::StrCat(unit)}});
}

}  // namespace bitwright::worker
