#pragma once

#include <variant>

#include "absl/status/statusor.h"
#include "workers/tokenizer/bpe.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/json_reader.h"
#include "workers/tokenizer/unigram.h"

namespace bitwright::worker {

using TokenModelConfig = std::variant<BpeConfig, UnigramConfig>;

// "model" of a tokenizer.json; takes vocabulary, merges and scores out of `parts`. TOKENIZER_INVALID,
// TOKENIZER_UNSUPPORTED.
absl::StatusOr<TokenModelConfig> ReadTokenModel(const JsonField& model, TokenizerJson& parts);

}  // namespace bitwright::worker
