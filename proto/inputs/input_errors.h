#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

// Every way in which a folder or a text is refused for what it is, before it is uploaded or when it is inspected. All
// INVALID_ARGUMENT.
namespace bitwright {

absl::Status ConfigMissingError();                                               // MODEL_FILE_MISSING
absl::Status WeightsMissingError(bool several);                                  // MODEL_FILE_MISSING
absl::Status ShardMissingError(std::string_view shard, std::string_view index);  // MODEL_FILE_MISSING
absl::Status IndexInvalidError(std::string_view file, std::string_view why);     // CHECKPOINT_INDEX_INVALID

// The sentence of GGUF_AMBIGUOUS, which sorting says as well as the table in model_refusals.cc.
inline constexpr std::string_view kGgufAmbiguous =
    "the folder holds several GGUF files that are not parts of one model ({}); give the one to start from by its path, "
    "best an unquantized one";
absl::Status GgufAmbiguousError(std::string_view files);  // GGUF_AMBIGUOUS

// A row of the table in model_refusals.cc: its reason, its sentence with what was found in place of {} and the list of
// architectures in place of {supported}.
absl::Status ModelRefusedError(std::string_view reason, std::string_view sentence, std::string_view found,
                               std::string_view supported);

// DATA_NOT_TEXT, DATA_IS_TABLE, DATA_IS_JSON, DATA_NOT_UTF8. `what` says what the file looks like, `remedy` what to do.
absl::Status DataNotTextError(std::string_view name, std::string_view what, std::string_view remedy);
absl::Status DataIsTableError(std::string_view name, std::string_view what);
absl::Status DataIsJsonError(std::string_view name, std::string_view what);
absl::Status DataNotUtf8Error(std::string_view name, int64_t at);

// Of a budget that a person wrote.
absl::Status BudgetInvalidError(std::string_view text, std::string_view what);  // BUDGET_INVALID

}  // namespace bitwright
