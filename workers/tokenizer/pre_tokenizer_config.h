#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/pre_tokenizer.h"

namespace bitwright::worker {

// "pre_tokenizer" of a tokenizer.json, sequences flattened. TOKENIZER_INVALID, TOKENIZER_UNSUPPORTED.
absl::StatusOr<std::vector<PreTokenizerStep>> ReadPreTokenizer(const JsonField& field);

// Of a Metaspace, which stands among the pre-tokenizers and among the decoders. TOKENIZER_INVALID.
absl::StatusOr<std::string> ReadMetaspaceReplacement(const JsonField& field);  // one character
absl::StatusOr<PrependScheme> ReadPrependScheme(const JsonField& field);

}  // namespace bitwright::worker
