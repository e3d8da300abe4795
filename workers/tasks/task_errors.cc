#include "workers/tasks/task_errors.h"

#include "proto/base/errors.h"

namespace bitwright::worker {
absl::Status TaskInputMissingError(const std::string& name) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_MISSING", "the task has no input '" + name + "'",
                   {{"input", name}});
}

absl::Status TaskInputDamagedError(const std::string& name, const std::string& why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_DAMAGED", "input '" + name + "' " + why,
                   {{"input", name}});
}

absl::Status NothingToImportError() {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_DAMAGED",
                   "inputs 'model/' are in no form that is imported", {{"input", "model/"}});
}

absl::Status TaskKindUnknownError(const std::string& kind) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_KIND_UNKNOWN",
                   "the task has no parameters of a kind that this worker knows", {{"kind", kind}});
}

absl::Status TokenColumnsDifferError() {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_DAMAGED",
                   "the tokens of an evaluation shard have columns of different lengths");
}

absl::Status PlanInvalidError(const std::string& unit) {
  return MakeError(absl::StatusCode::kInvalidArgument, "PLAN_INVALID",
                   "the plan has no format that fits unit '" + unit + "'", {{"unit", unit}});
}

absl::Status DataInvalidError(std::string_view problem) {
  return MakeError(absl::StatusCode::kInvalidArgument, "DATA_INVALID", "the data file " + std::string(problem));
}

absl::Status TokenIdOutOfRangeError(int64_t position, int64_t id, int64_t vocab) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TOKEN_ID_OUT_OF_RANGE",
                   "token " + std::to_string(position) + " of the data has id " + std::to_string(id) +
                       ", outside the model's vocabulary 0.." + std::to_string(vocab - 1),
                   {{"position", std::to_string(position)}, {"id", std::to_string(id)}});
}

absl::Status TieWithoutFormatError(const std::string& tie) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TIE_WITHOUT_FORMAT",
                   "the recipe allows no format that fits all units of '" + tie +
                       "', which get one format; allow more bits or group sizes",
                   {{"tie", tie}});
}

absl::Status BudgetExceededError(int64_t budget_bytes) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "BUDGET_EXCEEDED",
                   "no candidate's files fit the budget of " + std::to_string(budget_bytes) + " bytes; raise it");
}

absl::Status TaskSpecInvalidError(const std::string& field, const std::string& value, const std::string& limit) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_SPEC_INVALID",
                   "the task's field '" + field + "' is '" + value + "'; allowed is " + limit,
                   {{"field", field}, {"value", value}, {"limit", limit}});
}

}  // namespace bitwright::worker
