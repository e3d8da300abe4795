#pragma once

#include <optional>
#include <span>
#include <vector>

#include "workers/targets/gguf_tokens.h"

namespace bitwright::worker {

// The score of each token with which SentencePiece joins neighbours in the order of a tokenizer.json's merges: it
// joins whatever neighbours are a token together, the highest score first, where a tokenizer.json lists the pairs.
// None where that is not the same: a pair that is not listed, or a token whose pairs do not stand together. What
// transformers makes of a tokenizer.model has neither.
std::optional<std::vector<float>> ScoresOfMerges(const GgufTokens& tokens, std::span<const GgufMerge> merges);

}  // namespace bitwright::worker
