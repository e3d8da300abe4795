#include "workers/targets/gguf_tokens.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;
using Type = GgufTokenType;

// "<0x0A>"
bool IsByte(const std::string& text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto is_digit = [&](char c) { return kDigits.find(c) != std::string_view::npos; };
  return text.size() == 6 && text.starts_with("<0x") && text.back() == '>' && is_digit(text[3]) && is_digit(text[4]);
}

absl::Status Put(const Json& id, const std::string& text, Type type, GgufTokens& tokens) {
  if (!id.is_number_integer() || id.get<int64_t>() < 0 || id.get<int64_t>() >= std::ssize(tokens.texts)) {
    return VocabularyInvalidError(
        "the id of a token", absl::StrCat("is ", id.dump(), "; the model has ids up to ", tokens.texts.size() - 1));
  }
  const auto at = static_cast<size_t>(id.get<int64_t>());
  tokens.texts[at] = text;
  tokens.types[at] = type;
  return absl::OkStatus();
}

// The post-processor that puts special tokens around a text, or null.
const Json& TemplateOf(const Json& tokenizer) {
  const Json& processor = JsonAt(tokenizer, "post_processor");
  const Json& parts = JsonAt(processor, "processors");
  if (!parts.is_array()) return JsonAt(processor, "single");
  for (const Json& part : parts) {
    if (JsonAt(part, "single").is_array()) return JsonAt(part, "single");
  }
  return JsonAt(tokenizer, "");
}

}  // namespace

std::optional<uint32_t> GgufTokens::Find(const std::string& text) const {
  const auto found = std::find(texts.begin(), texts.end(), text);
  if (text.empty() || found == texts.end()) return std::nullopt;
  return static_cast<uint32_t>(found - texts.begin());
}

std::vector<GgufSetting> GgufTokenSettings(std::string_view model, std::string_view first_cut,
                                           const GgufTokens& tokens) {
  std::vector<int32_t> types;
  for (const GgufTokenType type : tokens.types) types.push_back(static_cast<int32_t>(type));
  return {GgufText("tokenizer.ggml.model", model), GgufText("tokenizer.ggml.pre", first_cut),
          GgufTexts("tokenizer.ggml.tokens", tokens.texts), GgufNumbers<int32_t>("tokenizer.ggml.token_type", types)};
}

const Json& JsonAt(const Json& json, const char* key) {
  static const auto& none = *new Json;
  if (!json.is_object()) return none;
  const auto found = json.find(key);
  return found == json.end() ? none : *found;
}

std::string JsonText(const Json& json) { return json.is_string() ? json.get<std::string>() : ""; }

absl::StatusOr<GgufTokens> ReadGgufTokens(const Json& tokenizer, int64_t vocab_size, bool bytes) {
  const auto size = static_cast<size_t>(vocab_size);
  GgufTokens tokens{std::vector<std::string>(size), std::vector<Type>(size, Type::kUnused)};
  for (size_t i = 0; i < size; ++i) tokens.texts[i] = absl::StrCat("[PAD", i, "]");
  const Json& vocabulary = JsonAt(JsonAt(tokenizer, "model"), "vocab");
  if (!vocabulary.is_object()) return VocabularyInvalidError("model.vocab", "is no object");
  for (const auto& [text, id] : vocabulary.items()) {
    ABSL_RETURN_IF_ERROR(Put(id, text, bytes && IsByte(text) ? Type::kByte : Type::kNormal, tokens));
  }
  for (const Json& added : JsonAt(tokenizer, "added_tokens")) {
    const Type type = JsonAt(added, "special") == Json(true) ? Type::kControl : Type::kUserDefined;
    ABSL_RETURN_IF_ERROR(Put(JsonAt(added, "id"), JsonText(JsonAt(added, "content")), type, tokens));
  }
  return tokens;
}

absl::StatusOr<std::vector<GgufMerge>> ReadGgufMerges(const Json& model) {
  const Json& merges = JsonAt(model, "merges");
  if (!merges.is_array()) return VocabularyInvalidError("model.merges", "is no array");
  std::vector<GgufMerge> pairs;
  for (const Json& merge : merges) {
    const bool pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    const std::string text = JsonText(merge);
    const size_t space = text.find(' ');
    if (!pair && space == std::string::npos) {
      return VocabularyInvalidError("model.merges", "has an element that is no pair");
    }
    pairs.push_back(pair ? GgufMerge(JsonText(merge[0]), JsonText(merge[1]))
                         : GgufMerge(text.substr(0, space), text.substr(space + 1)));
  }
  return pairs;
}

std::string SpecialTokenName(const Json& tokenizer_config, const char* key) {
  const Json& value = JsonAt(tokenizer_config, key);
  return value.is_object() ? JsonText(JsonAt(value, "content")) : JsonText(value);
}

std::vector<GgufSetting> GgufSpecialTokens::Settings() const {
  std::vector<GgufSetting> settings;
  if (bos) settings.push_back(GgufNumber("tokenizer.ggml.bos_token_id", *bos));
  if (eos) settings.push_back(GgufNumber("tokenizer.ggml.eos_token_id", *eos));
  settings.push_back(GgufNumber("tokenizer.ggml.add_bos_token", adds_bos));
  if (adds_eos) settings.push_back(GgufNumber("tokenizer.ggml.add_eos_token", true));
  return settings;
}

GgufSpecialTokens ReadGgufSpecialTokens(const Json& tokenizer, const Json& config, const GgufTokens& tokens) {
  const Json& around = TemplateOf(tokenizer);
  const auto end = [&](bool first) {
    if (!around.is_array() || around.size() < 2) return std::string();
    return JsonText(JsonAt(JsonAt(first ? around.front() : around.back(), "SpecialToken"), "id"));
  };
  const std::string before = end(true), behind = end(false);
  GgufSpecialTokens special;
  const std::string bos = SpecialTokenName(config, "bos_token"), eos = SpecialTokenName(config, "eos_token");
  special.bos = tokens.Find(bos.empty() ? before : bos);
  special.eos = tokens.Find(eos.empty() ? behind : eos);
  const auto adds = [&](const char* key, const std::optional<uint32_t>& token, const std::string& given) {
    if (!token) return false;
    const Json& says = JsonAt(config, key);
    return says.is_boolean() ? says.get<bool>() : tokens.texts[*token] == given;
  };
  special.adds_bos = adds("add_bos_token", special.bos, before);
  special.adds_eos = adds("add_eos_token", special.eos, behind);
  return special;
}

}  // namespace bitwright::worker
