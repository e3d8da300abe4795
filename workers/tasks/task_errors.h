#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// Faults of a task's spec, inputs and data: INVALID_ARGUMENT unless stated, never retried.

absl::Status TaskKindUnknownError(const std::string& kind);   // TASK_KIND_UNKNOWN
absl::Status TaskInputMissingError(const std::string& name);  // TASK_INPUT_MISSING
// TASK_SPEC_INVALID: `field` has `value`, which is not within `limit` ("1 to 8"); metadata: field, value, limit.
absl::Status TaskSpecInvalidError(const std::string& field, const std::string& value, const std::string& limit);
absl::Status NothingToImportError();  // TASK_INPUT_DAMAGED: the files are plain safetensors
absl::Status TaskInputDamagedError(const std::string& name, const std::string& why);  // TASK_INPUT_DAMAGED

// TASK_INPUT_DAMAGED: a file of token statistics whose columns differ in length.
absl::Status TokenColumnsDifferError();

// TIE_WITHOUT_FORMAT: the recipe allows no format that fits all units of a tie; metadata: tie.
absl::Status TieWithoutFormatError(const std::string& tie);
absl::Status PlanInvalidError(const std::string& unit);  // PLAN_INVALID: no format that fits the unit

absl::Status DataInvalidError(std::string_view problem);                           // DATA_INVALID
absl::Status TokenIdOutOfRangeError(int64_t position, int64_t id, int64_t vocab);  // TOKEN_ID_OUT_OF_RANGE

absl::Status BudgetExceededError(int64_t budget_bytes);  // FAILED_PRECONDITION, BUDGET_EXCEEDED

}  // namespace bitwright::worker
