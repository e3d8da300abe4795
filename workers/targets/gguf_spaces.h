#pragma once

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "workers/targets/gguf_tokens.h"

namespace bitwright::worker {

// How a tokenizer.json in SentencePiece's style writes spaces as U+2581 before it looks for tokens.
struct GgufSpaces {
  bool prefix = false;  // one more before a text
};

// TARGET_CANNOT_STORE: its normalizer and pre_tokenizer do something else, which llama.cpp would leave out. After a
// special token within a text llama.cpp puts the prefix in any case, where "first" of Metaspace does not.
absl::StatusOr<GgufSpaces> ReadGgufSpaces(const nlohmann::json& tokenizer, const GgufTokens& tokens);

}  // namespace bitwright::worker
