#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/added_tokens.h"
#include "workers/tokenizer/bpe.h"
#include "workers/tokenizer/normalizer.h"
#include "workers/tokenizer/pre_tokenizer.h"

namespace bitwright::worker {

// A tokenizer.json as plain values, every part of a kind that we support.
struct TokenizerConfig {
  std::vector<AddedToken> added_tokens;  // in the order of the file
  std::vector<Normalizer> normalizers;   // sequences are flattened
  std::vector<PreTokenizerStep> pre_tokenizers;
  std::vector<int32_t> prefix;  // special tokens that the post-processor puts around a text
  std::vector<int32_t> suffix;
  BpeConfig model;
};

// Reads what `text` says; whether ids and merges fit together is checked by the parts themselves.
// TOKENIZER_INVALID, TOKENIZER_UNSUPPORTED, both naming the field. `truncation` and `padding` are not read: they are
// defaults of a training run, which callers of the reference library replace too.
absl::StatusOr<TokenizerConfig> ReadTokenizerConfig(std::string_view text);

}  // namespace bitwright::worker
