#include "workers/targets/gguf_vocabulary.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/targets/gguf_first_cut.h"
#include "workers/targets/gguf_merges.h"
#include "workers/targets/gguf_spaces.h"
#include "workers/targets/gguf_tokens.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;
using Settings = std::vector<GgufSetting>;

GgufSetting MergesSetting(const std::vector<GgufMerge>& merges) {
  std::vector<std::string> texts;
  texts.reserve(merges.size());
  for (const auto& [left, right] : merges) texts.push_back(absl::StrCat(left, " ", right));
  return GgufTexts("tokenizer.ggml.merges", texts);
}

void Append(const Settings& more, Settings& to) { to.insert(to.end(), more.begin(), more.end()); }

absl::StatusOr<Settings> ByteLevel(const Json& tokenizer, const Json& config, int64_t vocab_size) {
  ABSL_ASSIGN_OR_RETURN(const std::string first_cut, GgufFirstCut(tokenizer));
  ABSL_ASSIGN_OR_RETURN(const GgufTokens tokens, ReadGgufTokens(tokenizer, vocab_size, /*bytes=*/false));
  ABSL_ASSIGN_OR_RETURN(const std::vector<GgufMerge> merges, ReadGgufMerges(JsonAt(tokenizer, "model")));
  Settings settings = GgufTokenSettings("gpt2", first_cut, tokens);
  settings.push_back(MergesSetting(merges));
  Append(ReadGgufSpecialTokens(tokenizer, config, tokens).Settings(), settings);
  return settings;
}

// Any character can be written as bytes.
absl::Status CheckBytes(const GgufTokens& tokens) {
  if (std::ranges::count(tokens.types, GgufTokenType::kByte) == 256) return absl::OkStatus();
  return GgufCannotStoreError("a vocabulary without a token for each byte", "llama.cpp asks for them");
}

// "gemma4" of llama.cpp joins in the order of the merges, but in lines of their own, and always begins with a BOS.
absl::Status CheckLines(const GgufTokens& tokens, const GgufSpaces& spaces, const GgufSpecialTokens& special) {
  if (spaces.prefix || !special.adds_bos) {
    return GgufCannotStoreError("merges that are not those of a SentencePiece model",
                                "llama.cpp takes those only of texts that begin with a BOS and with no space");
  }
  for (size_t i = 0; i < tokens.texts.size(); ++i) {
    const std::string& text = tokens.texts[i];
    const bool joined = tokens.types[i] == GgufTokenType::kNormal && text.size() > 1;
    if (joined && text.find('\n') != std::string::npos) {
      return GgufCannotStoreError("a token with a line feed in it", "llama.cpp cuts texts there first");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Settings> ByteFallback(const Json& tokenizer, const Json& config, int64_t vocab_size) {
  const Json& model = JsonAt(tokenizer, "model");
  ABSL_ASSIGN_OR_RETURN(GgufTokens tokens, ReadGgufTokens(tokenizer, vocab_size, /*bytes=*/true));
  ABSL_ASSIGN_OR_RETURN(const std::vector<GgufMerge> merges, ReadGgufMerges(model));
  ABSL_ASSIGN_OR_RETURN(const GgufSpaces spaces, ReadGgufSpaces(tokenizer, tokens));
  ABSL_RETURN_IF_ERROR(CheckBytes(tokens));
  if (JsonAt(model, "ignore_merges") == Json(true)) {
    return GgufCannotStoreError("ignore_merges with byte_fallback", "llama.cpp always joins such tokens");
  }
  const GgufSpecialTokens special = ReadGgufSpecialTokens(tokenizer, config, tokens);
  const auto unknown = tokens.Find(JsonText(JsonAt(model, "unk_token")));
  const auto scores = ScoresOfMerges(tokens, merges);
  if (!scores) ABSL_RETURN_IF_ERROR(CheckLines(tokens, spaces, special));
  if (unknown) tokens.types[*unknown] = GgufTokenType::kUnknown;
  Settings settings = GgufTokenSettings(scores ? "llama" : "gemma4", scores ? "default" : "gemma4", tokens);
  settings.push_back(scores ? GgufNumbers<float>("tokenizer.ggml.scores", *scores) : MergesSetting(merges));
  settings.push_back(GgufNumber("tokenizer.ggml.add_space_prefix", spaces.prefix));
  if (unknown) settings.push_back(GgufNumber("tokenizer.ggml.unknown_token_id", *unknown));
  Append(special.Settings(), settings);
  return settings;
}

}  // namespace

absl::StatusOr<Settings> GgufVocabulary(std::string_view tokenizer_json,
                                        std::optional<std::string_view> tokenizer_config, int64_t vocab_size) {
  const Json tokenizer = Json::parse(tokenizer_json, nullptr, false);
  if (!tokenizer.is_object()) return VocabularyInvalidError("the file", "is no JSON object");
  const Json config = Json::parse(tokenizer_config.value_or("{}"), nullptr, false);
  const Json& model = JsonAt(tokenizer, "model");
  if (const std::string type = JsonText(JsonAt(model, "type")); type != "BPE") {
    return GgufCannotStoreError("a tokenizer of type " + (type.empty() ? "unknown" : type),
                                "the families that it stores are published with BPE");
  }
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!JsonText(JsonAt(model, affix)).empty()) return GgufCannotStoreError(affix, "llama.cpp has none");
  }
  const bool fallback = JsonAt(model, "byte_fallback") == Json(true);
  return fallback ? ByteFallback(tokenizer, config, vocab_size) : ByteLevel(tokenizer, config, vocab_size);
}

}  // namespace bitwright::worker
