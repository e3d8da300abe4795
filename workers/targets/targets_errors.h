#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason TARGET_UNKNOWN.
absl::Status TargetUnknownError(std::string_view target, std::string_view known);

// INVALID_ARGUMENT, reason TARGET_CANNOT_STORE: the target has no place for `what`; `why` completes the sentence.
absl::Status CannotStoreError(std::string_view target, std::string_view what, std::string_view why);
absl::Status GgufCannotStoreError(std::string_view what, std::string_view why);

// INVALID_ARGUMENT, reason CONFIG_INVALID: the model's config.json is not a JSON object; metadata: file.
absl::Status ConfigNotAnObjectError();

// INVALID_ARGUMENT, reason TASK_INPUT_DAMAGED: what inspection found of the model does not speak of the target.
absl::Status InfoLacksTargetError(std::string_view target);

// INVALID_ARGUMENT, reason TASK_INPUT_DAMAGED: neither the model nor the quantized weights have the tensor in its
// shape.
absl::Status WeightsLackError(std::string_view tensor);

// INVALID_ARGUMENT, reason TOKENIZER_INVALID: a field of tokenizer.json, or of `file`, is not what an encoder needs.
absl::Status VocabularyInvalidError(std::string_view field, std::string_view why,
                                    std::string_view file = "tokenizer.json");

}  // namespace bitwright::worker
