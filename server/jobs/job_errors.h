#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "bitwright/v1/reports.pb.h"

// Everything that is refused in a job's specification. All INVALID_ARGUMENT unless said otherwise.
namespace bitwright::server {

// FAILED_PRECONDITION, reason JOB_FINISHED.
absl::Status JobFinishedError(std::string_view state);
// INTERNAL, reason JOB_STATE_UNKNOWN: a state that this version does not know.
absl::Status JobStateUnknownError(int state);

// ABORTED, reason ETAG_MISMATCH: the resource is not as the caller saw it.
absl::Status EtagMismatchError(std::string_view name, std::string_view wanted, std::string_view current);

// FAILED_PRECONDITION, reason MODEL_NOT_READY.
absl::Status ModelNotReadyError(std::string_view model, std::string_view state);
absl::Status ModelOutdatedError(std::string_view model);  // FAILED_PRECONDITION, reason MODEL_OUTDATED
// NOT_FOUND, reason RECIPE_NOT_FOUND.
absl::Status RecipeNotFoundError(std::string_view recipe);
// Reason RECIPE_INVALID. `field` is a path such as "rounding.damping"; `why` says value, limit and remedy.
absl::Status RecipeInvalidError(std::string_view recipe, std::string_view field, std::string_view why);

absl::Status TargetUnknownError(std::string_view target);  // TARGET_UNKNOWN, naming those that there are
// The refusal that inspection found, reason TARGET_CANNOT_STORE, with the targets that do store the model.
absl::Status TargetCannotStoreError(const absl::Status& refusal, const std::vector<std::string>& others);
// CONSUMER_UNKNOWN: no program of that name loads artifacts of the target. CONSUMER_CANNOT_LOAD, with the `others` of
// the target that do.
absl::Status ConsumerUnknownError(std::string_view consumer, std::string_view target, std::string_view known);
absl::Status ConsumerCannotLoadError(std::string_view program, std::string_view why, std::string_view others);
absl::Status DeviceUnknownError(std::string_view device);  // DEVICE_UNKNOWN, naming those that there are
absl::Status PriorityInvalidError(int priority);           // PRIORITY_INVALID
// DISPLAY_NAME_INVALID; `field` as in JobSpec: "calibration.display_name".
absl::Status DisplayNameTooLongError(std::string_view field, size_t bytes);
absl::Status LabelInvalidError(std::string_view key, std::string_view why);  // LABEL_INVALID

// GOALS_INVALID; `what` goes on after "goals".
absl::Status GoalsInvalidError(std::string_view what);
// FAILED_PRECONDITION, reason BOUND_NOT_MET: not even the largest plan of the front, of which the probe is.
absl::Status BoundNotMetError(const v1::Budget& bound, const v1::Probe& largest);

absl::Status BudgetMissingError();                        // BUDGET_MISSING
absl::Status BudgetInvalidError(std::string_view value);  // BUDGET_INVALID: negative or not a number
// `budget` and `limit` carry their unit: "3.1 bits per weight", "12000000 bytes".
absl::Status BudgetBelowSmallestError(std::string_view budget, std::string_view limit);  // BUDGET_BELOW_SMALLEST_PLAN
absl::Status BudgetAboveLargestError(std::string_view budget, std::string_view limit);   // BUDGET_ABOVE_LARGEST_PLAN

// Reason DATA_INVALID. `use` is "calibration" or "evaluation"; of several texts "evaluation[1]".
absl::Status DataInvalidError(std::string_view use, std::string_view field, std::string_view why);
// Reason DATA_TOO_SHORT.
absl::Status DataTooShortError(std::string_view use, int64_t tokens, int window);
absl::Status DataEmptyError(std::string_view use);
// Reason TOO_MANY_TEXTS.
absl::Status TooManyTextsError(std::string_view use, int count);
absl::Status TooManyChoicesError(int count);
// Reason TOKENIZER_MISSING.
absl::Status TokenizerMissingError(std::string_view model, std::string_view use);

}  // namespace bitwright::server
