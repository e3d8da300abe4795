#include "workers/targets/gguf_spaces.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;

constexpr char kSpace[] = "\u2581";

// Tokens begin with a space or hold none: then cutting a text before each space changes nothing.
bool SpacesBeginTokens(const GgufTokens& tokens) {
  return std::ranges::none_of(tokens.texts,
                              [](const std::string& text) { return text.find(kSpace, 1) != std::string::npos; });
}

}  // namespace

absl::StatusOr<GgufSpaces> ReadGgufSpaces(const Json& tokenizer, const GgufTokens& tokens) {
  const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}};
  const Json prepend = {{"type", "Sequence"},
                        {"normalizers", Json::array({{{"type", "Prepend"}, {"prepend", kSpace}}, replace})}};
  // Gemma's, which finds no space any more.
  const Json idle = {
      {"type", "Split"}, {"pattern", {{"String", " "}}}, {"behavior", "MergedWithPrevious"}, {"invert", false}};
  const Json& normalizer = JsonAt(tokenizer, "normalizer");
  const Json& cut = JsonAt(tokenizer, "pre_tokenizer");
  if (normalizer == prepend && cut.is_null()) return GgufSpaces{.prefix = true};
  if (normalizer == replace && (cut.is_null() || cut == idle)) return GgufSpaces{.prefix = false};
  const std::string scheme = JsonText(JsonAt(cut, "prepend_scheme"));
  if (normalizer.is_null() && JsonText(JsonAt(cut, "type")) == "Metaspace" &&
      JsonText(JsonAt(cut, "replacement")) == kSpace && !scheme.empty() &&
      (JsonAt(cut, "split") == Json(false) || SpacesBeginTokens(tokens))) {
    return GgufSpaces{.prefix = scheme != "never"};
  }
  return GgufCannotStoreError("the normalizer and pre_tokenizer of tokenizer.json",
                              "llama.cpp writes spaces as U+2581 and does no more");
}

}  // namespace bitwright::worker
