#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

// The tokenizer.ggml.* entries of a GGUF file for a byte-level BPE of a tokenizer.json: tokens, their types, merges,
// the name that llama.cpp has for how text is cut first, and the special ids. `tokenizer_config`: the text of
// tokenizer_config.json, where the model has one. Ids from the vocabulary's end up to vocab_size become unused tokens.
// TARGET_CANNOT_STORE: another kind of tokenizer, or a first cut that llama.cpp has no name for. TOKENIZER_INVALID.
absl::StatusOr<std::vector<GgufSetting>> GgufVocabulary(std::string_view tokenizer_json,
                                                        std::optional<std::string_view> tokenizer_config,
                                                        int64_t vocab_size);

}  // namespace bitwright::worker
