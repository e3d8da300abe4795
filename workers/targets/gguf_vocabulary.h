#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

// The tokenizer.ggml.* entries of a GGUF file for a BPE of a tokenizer.json: tokens, their types, the order in which
// they are joined, what llama.cpp calls the way that a text is cut or normalized first, and the special ids. By
// bytes: "gpt2". By characters, with bytes for those that are no token: "llama", where its merges are those of a
// SentencePiece model, else "gemma4". `tokenizer_config`: the text of tokenizer_config.json, where the model has one.
// Ids from the vocabulary's end up to vocab_size become unused tokens. TARGET_CANNOT_STORE: another kind of tokenizer,
// or a first step that llama.cpp has no name for. TOKENIZER_INVALID.
absl::StatusOr<std::vector<GgufSetting>> GgufVocabulary(std::string_view tokenizer_json,
                                                        std::optional<std::string_view> tokenizer_config,
                                                        int64_t vocab_size);

}  // namespace bitwright::worker
