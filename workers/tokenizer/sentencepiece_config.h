#pragma once

#include <string_view>

#include "absl/status/statusor.h"
#include "workers/tokenizer/config.h"

namespace bitwright::worker {

// A tokenizer.model as the parts that encode as SentencePiece (version 0.2) does, in float32:
//   normalizer   SentencePieceRules
//   BPE          neighbours whose text together is a piece are joined, highest score first; pieces of the user stand
//   alone Unigram      the best path; pieces of the user have a score by their length
// As when transformers converts it, control and unknown pieces are recognized in the text, the text around them is
// encoded for itself, and special tokens are the beginning-of-text piece alone. Decodes as such a conversion, too.
//
// TOKENIZER_INVALID: errors of ReadSentencePieceModel and Charsmap, not one unknown piece, byte_fallback without its
// 256 pieces. TOKENIZER_UNSUPPORTED: a WORD or CHAR model, white space as suffix or not escaped, unused pieces of a
// BPE, and pieces of a BPE with a character that is no piece of its own.
absl::StatusOr<TokenizerConfig> ReadSentencePieceConfig(std::string_view tokenizer_model);

}  // namespace bitwright::worker
