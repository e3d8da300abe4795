#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason TARGET_CANNOT_STORE: a GGUF file has no place for `what`; `why` completes the sentence.
absl::Status GgufCannotStoreError(std::string_view what, std::string_view why);

// INVALID_ARGUMENT, reason TOKENIZER_INVALID: a field of tokenizer.json is not what an encoder needs.
absl::Status VocabularyInvalidError(std::string_view field, std::string_view why);

}  // namespace bitwright::worker
