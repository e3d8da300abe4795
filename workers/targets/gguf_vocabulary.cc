#include "workers/targets/gguf_vocabulary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;

// llama.cpp's llama_token_type.
enum TokenType : int32_t { kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5 };

struct FirstCut {
  std::string_view name;     // llama.cpp's
  std::string_view pattern;  // of the Split that comes before ByteLevel
};

constexpr FirstCut kSplits[] = {
    {"llama-bpe",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

// Members of what may be no object, or lack them, are null.
const Json& At(const Json& json, const char* key) {
  static const auto& none = *new Json;
  if (!json.is_object()) return none;
  const auto found = json.find(key);
  return found == json.end() ? none : *found;
}

std::string TextOf(const Json& json) { return json.is_string() ? json.get<std::string>() : ""; }

absl::StatusOr<std::string> NameOfFirstCut(const Json& pre_tokenizer) {
  const auto type = [](const Json& json) { return TextOf(At(json, "type")); };
  const auto plain = [&](const Json& json, bool regex) {
    return type(json) == "ByteLevel" && At(json, "add_prefix_space") == Json(false) &&
           At(json, "use_regex") == Json(regex);
  };
  if (plain(pre_tokenizer, true)) return "gpt-2";
  const Json& parts = At(pre_tokenizer, "pretokenizers");
  if (type(pre_tokenizer) == "Sequence" && parts.is_array() && parts.size() == 2) {
    if (type(parts[0]) == "Digits" && At(parts[0], "individual_digits") == Json(true) && plain(parts[1], true)) {
      return "smollm";
    }
    const bool split = type(parts[0]) == "Split" && TextOf(At(parts[0], "behavior")) == "Isolated" &&
                       At(parts[0], "invert") == Json(false) && plain(parts[1], false);
    const std::string pattern = TextOf(At(At(parts[0], "pattern"), "Regex"));
    for (const FirstCut& cut : kSplits) {
      if (split && pattern == cut.pattern) return std::string(cut.name);
    }
  }
  return GgufCannotStoreError("the pre_tokenizer of tokenizer.json", "llama.cpp has no name for it that is known here");
}

struct Tokens {
  std::vector<std::string> texts;
  std::vector<int32_t> types;
  std::vector<bool> given;
};

absl::Status Put(const Json& id, const std::string& text, TokenType type, Tokens& tokens) {
  if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= std::ssize(tokens.texts)) {
    return VocabularyInvalidError(
        "the id of a token", absl::StrCat("is ", id.dump(), "; the model has ids up to ", tokens.texts.size() - 1));
  }
  const auto at = static_cast<size_t>(id.get<int64_t>());
  tokens.texts[at] = text;
  tokens.types[at] = type;
  tokens.given[at] = true;
  return absl::OkStatus();
}

absl::StatusOr<Tokens> ReadTokens(const Json& tokenizer, int64_t vocab_size) {
  const auto size = static_cast<size_t>(vocab_size);
  Tokens tokens{std::vector<std::string>(size), std::vector<int32_t>(size, kUnused), std::vector<bool>(size)};
  const Json& vocabulary = At(At(tokenizer, "model"), "vocab");
  if (!vocabulary.is_object()) return VocabularyInvalidError("model.vocab", "is no object");
  for (const auto& [text, id] : vocabulary.items()) ABSL_RETURN_IF_ERROR(Put(id, text, kNormal, tokens));
  for (const Json& added : At(tokenizer, "added_tokens")) {
    const TokenType type = At(added, "special") == Json(true) ? kControl : kUserDefined;
    ABSL_RETURN_IF_ERROR(Put(At(added, "id"), TextOf(At(added, "content")), type, tokens));
  }
  for (size_t i = 0; i < size; ++i) {
    if (!tokens.given[i]) tokens.texts[i] = absl::StrCat("[PAD", i, "]");
  }
  return tokens;
}

absl::StatusOr<std::vector<std::string>> ReadMerges(const Json& model) {
  const Json& merges = At(model, "merges");
  if (!merges.is_array()) return VocabularyInvalidError("model.merges", "is no array");
  std::vector<std::string> texts;
  for (const Json& merge : merges) {
    const bool pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!pair && !merge.is_string()) return VocabularyInvalidError("model.merges", "has an element that is no pair");
    texts.push_back(pair ? TextOf(merge[0]) + " " + TextOf(merge[1]) : TextOf(merge));
  }
  return texts;
}

// A special token is a text, or an object with its content.
std::optional<uint32_t> SpecialId(const Json& config, const char* key, const Tokens& tokens) {
  const Json& value = At(config, key);
  const std::string text = value.is_object() ? TextOf(At(value, "content")) : TextOf(value);
  const auto found = std::find(tokens.texts.begin(), tokens.texts.end(), text);
  if (text.empty() || found == tokens.texts.end()) return std::nullopt;
  return static_cast<uint32_t>(found - tokens.texts.begin());
}

// Whether a text gets the token `bos` before it.
bool AddsBos(const Json& tokenizer, const Json& config, const std::string& bos) {
  if (const Json& says = At(config, "add_bos_token"); says.is_boolean()) return says.get<bool>();
  const auto adds = [&](const Json& processor) {
    const Json& single = At(processor, "single");
    return single.is_array() && !single.empty() && TextOf(At(At(single[0], "SpecialToken"), "id")) == bos;
  };
  const Json& processor = At(tokenizer, "post_processor");
  const Json& parts = At(processor, "processors");
  return adds(processor) || (parts.is_array() && std::any_of(parts.begin(), parts.end(), adds));
}

}  // namespace

absl::StatusOr<std::vector<GgufSetting>> GgufVocabulary(std::string_view tokenizer_json,
                                                        std::optional<std::string_view> tokenizer_config,
                                                        int64_t vocab_size) {
  const Json tokenizer = Json::parse(tokenizer_json, nullptr, false);
  if (!tokenizer.is_object()) return VocabularyInvalidError("the file", "is no JSON object");
  const Json config = Json::parse(tokenizer_config.value_or("{}"), nullptr, false);
  const Json& model = At(tokenizer, "model");
  if (TextOf(At(model, "type")) != "BPE" || At(model, "byte_fallback") == Json(true)) {
    return GgufCannotStoreError("a tokenizer that is no byte-level BPE", "its kind is not written yet");
  }
  ABSL_ASSIGN_OR_RETURN(const std::string first_cut, NameOfFirstCut(At(tokenizer, "pre_tokenizer")));
  if (!At(tokenizer, "normalizer").is_null() &&
      first_cut !=
          "qwen2") {  // NFC, which llama.cpp leaves out: texts that are in NFC, as nearly all are, give the same ids
    return GgufCannotStoreError("the normalizer of tokenizer.json", "llama.cpp has none for '" + first_cut + "'");
  }
  ABSL_ASSIGN_OR_RETURN(const Tokens tokens, ReadTokens(tokenizer, vocab_size));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> merges, ReadMerges(model));
  std::vector<GgufSetting> settings = {
      GgufText("tokenizer.ggml.model", "gpt2"),         GgufText("tokenizer.ggml.pre", first_cut),
      GgufTexts("tokenizer.ggml.tokens", tokens.texts), GgufNumbers<int32_t>("tokenizer.ggml.token_type", tokens.types),
      GgufTexts("tokenizer.ggml.merges", merges),
  };
  const auto bos = SpecialId(config, "bos_token", tokens), eos = SpecialId(config, "eos_token", tokens);
  if (bos) settings.push_back(GgufNumber("tokenizer.ggml.bos_token_id", *bos));
  if (eos) settings.push_back(GgufNumber("tokenizer.ggml.eos_token_id", *eos));
  const bool adds = bos && AddsBos(tokenizer, config, tokens.texts[*bos]);
  settings.push_back(GgufNumber("tokenizer.ggml.add_bos_token", adds));
  return settings;
}

}  // namespace bitwright::worker
