#pragma once

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/tokenizer/added_tokens.h"
#include "workers/tokenizer/normalizer.h"
#include "workers/tokenizer/post_processor_config.h"
#include "workers/tokenizer/pre_tokenizer.h"
#include "workers/tokenizer/token_decoder.h"
#include "workers/tokenizer/token_model_config.h"

namespace bitwright::worker {

// A tokenizer as plain values, every part of a kind that we support.
struct TokenizerConfig {
  std::vector<AddedToken> added_tokens;  // in the order of the file
  bool normalized_contents = false;      // of those that are `normalized`, `content` is so already
  std::vector<NormalizerStep> normalizer;
  std::vector<PreTokenizerStep> pre_tokenizers;
  SpecialTokens special_tokens;  // that the post-processor puts around a text
  std::vector<DecoderStep> decoder;
  TokenModelConfig model;
};

// Reads what the tokenizer.json `text` says; whether ids and merges fit together is checked by the parts themselves.
// TOKENIZER_INVALID, TOKENIZER_UNSUPPORTED, both naming the field. `truncation` and `padding` are not read: they are
// defaults of a training run, which callers of the reference library replace too.
absl::StatusOr<TokenizerConfig> ReadTokenizerConfig(std::string_view text);

}  // namespace bitwright::worker
