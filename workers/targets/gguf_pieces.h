#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

// Files of a model whose tokenizer is a tokenizer.model; those that it lacks are empty.
struct PieceFiles {
  std::string_view tokenizer_model;
  std::string_view tokenizer_config;  // tokenizer_config.json: names of special tokens, added tokens
  std::string_view added_tokens;      // added_tokens.json, of older models
  std::string_view config;            // config.json: ids of special tokens
};

// The tokenizer.ggml.* entries of a GGUF file for a BPE of SentencePiece, as llama.cpp's conversion makes them (its
// "llama": pieces with scores and types), but for two things: pieces of the user are of that type, so that llama.cpp
// takes them before all others as SentencePiece does, and whether a text gets a space before it is what the model says.
// Special tokens are those that tokenizer_config.json names, else those of the ids in config.json, else the model's
// own; but a text begins with the model's own where tokenizer_config.json names none, since that is how it is encoded.
// Ids from the last piece up to vocab_size become unused tokens.
//
// Behind a special token or one of the user within a text llama.cpp puts that space again, and where a text itself has
// U+2581 it finds no piece of the user with spaces.
//
// TARGET_CANNOT_STORE: a model of another kind, one that changes texts before it looks for pieces, that has no piece
// for each byte, pieces that stand in no text, or both that space and pieces of the user with spaces.
// TOKENIZER_INVALID.
absl::StatusOr<std::vector<GgufSetting>> GgufPieces(const PieceFiles& files, int64_t vocab_size);

}  // namespace bitwright::worker
