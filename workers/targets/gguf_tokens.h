#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"

namespace bitwright::worker {

// llama.cpp's llama_token_type.
enum class GgufTokenType : int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

// A vocabulary by id.
struct GgufTokens {
  std::vector<std::string> texts;
  std::vector<GgufTokenType> types;

  std::optional<uint32_t> Find(const std::string& text) const;
};

// tokenizer.ggml.model, pre, tokens and token_type.
std::vector<GgufSetting> GgufTokenSettings(std::string_view model, std::string_view first_cut,
                                           const GgufTokens& tokens);

// Members of what may be no object, or lack them, are null. What is no text is empty.
const nlohmann::json& JsonAt(const nlohmann::json& json, const char* key);
std::string JsonText(const nlohmann::json& json);

// The tokens of a tokenizer.json of type BPE. Ids that it lacks up to vocab_size become unused tokens. `bytes`: texts
// like "<0x0A>" stand for bytes. TOKENIZER_INVALID.
absl::StatusOr<GgufTokens> ReadGgufTokens(const nlohmann::json& tokenizer, int64_t vocab_size, bool bytes);

// Its merges as pairs. TOKENIZER_INVALID.
using GgufMerge = std::pair<std::string, std::string>;
absl::StatusOr<std::vector<GgufMerge>> ReadGgufMerges(const nlohmann::json& model);

// The token that tokenizer_config.json names by `key` ("bos_token"), in either of its forms; empty: none.
std::string SpecialTokenName(const nlohmann::json& tokenizer_config, const char* key);

// What a text gets before and behind it, by tokenizer_config.json and else by the post-processor.
struct GgufSpecialTokens {
  std::optional<uint32_t> bos, eos;
  bool adds_bos = false, adds_eos = false;

  // tokenizer.ggml.bos_token_id …
  std::vector<GgufSetting> Settings() const;
};
GgufSpecialTokens ReadGgufSpecialTokens(const nlohmann::json& tokenizer, const nlohmann::json& config,
                                        const GgufTokens& tokens);

}  // namespace bitwright::worker
