#include "workers/targets/gguf_first_cut.h"

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "workers/targets/gguf_tokens.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;

// A step of a Sequence that stands for the class of digits, one by one.
constexpr std::string_view kDigits = "digits";

constexpr std::string_view kOneDigit[] = {kDigits};
constexpr std::string_view kLlama3[] = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::string_view kQwen2[] = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};
constexpr std::string_view kDeepSeekCoder[] = {"[\r\n]", R"(\s?\p{L}+)", R"(\s?\p{P}+)", "[一-龥ࠀ-一가-퟿]+",
                                               kDigits};
constexpr std::string_view kDeepSeek3[] = {
    R"(\p{N}{1,3})", "[一-龥\u3040-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
    "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"};

// A name, the steps before ByteLevel, and what else it stands for. Steps: ggml-org/llama.cpp, src/llama-vocab.cpp,
// those whose classes of characters it computes as a tokenizer.json's reader does (not "tekken" and "gpt-4o", where it
// takes all letters beyond ASCII for both cases).
struct FirstCut {
  std::string_view name;
  std::span<const std::string_view> steps;
  bool level_regex = false;    // ByteLevel cuts, too
  bool ignore_merges = false;  // a part that is a token is not joined
  bool nfc = false;  // may normalize, which llama.cpp leaves out: texts in NFC, as nearly all are, give the same ids
};
constexpr FirstCut kCuts[] = {
    {.name = "gpt-2", .steps = {}, .level_regex = true},
    {.name = "smollm", .steps = kOneDigit, .level_regex = true},
    {.name = "llama-bpe", .steps = kLlama3, .ignore_merges = true},
    {.name = "dbrx", .steps = kLlama3},
    {.name = "qwen2", .steps = kQwen2, .nfc = true},
    {.name = "deepseek-coder", .steps = kDeepSeekCoder},
    {.name = "deepseek-v3", .steps = kDeepSeek3},
};

// Further names of llama.cpp for the same steps.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"llama3", "llama-bpe"}, {"llama-v3", "llama-bpe"}, {"phi-2", "gpt-2"}, {"deepseek-r1-qwen", "qwen2"}};

std::string TypeOf(const Json& json) { return JsonText(JsonAt(json, "type")); }

bool IsStep(const Json& json, std::string_view step) {
  if (step == kDigits) return TypeOf(json) == "Digits" && JsonAt(json, "individual_digits") == Json(true);
  return TypeOf(json) == "Split" && JsonText(JsonAt(json, "behavior")) == "Isolated" &&
         JsonAt(json, "invert") == Json(false) && JsonText(JsonAt(JsonAt(json, "pattern"), "Regex")) == step;
}

bool Matches(const FirstCut& cut, const std::vector<const Json*>& parts) {
  if (parts.size() != cut.steps.size() + 1) return false;
  for (size_t i = 0; i < cut.steps.size(); ++i) {
    if (!IsStep(*parts[i], cut.steps[i])) return false;
  }
  const Json& level = *parts.back();
  return TypeOf(level) == "ByteLevel" && JsonAt(level, "add_prefix_space") == Json(false) &&
         JsonAt(level, "use_regex") == Json(cut.level_regex);
}

}  // namespace

absl::StatusOr<std::string> GgufFirstCut(const Json& tokenizer) {
  const Json& pre_tokenizer = JsonAt(tokenizer, "pre_tokenizer");
  const Json& sequence = JsonAt(pre_tokenizer, "pretokenizers");
  std::vector<const Json*> parts;
  if (TypeOf(pre_tokenizer) == "Sequence" && sequence.is_array()) {
    for (const Json& part : sequence) parts.push_back(&part);
  } else {
    parts.push_back(&pre_tokenizer);
  }
  const bool ignores = JsonAt(JsonAt(tokenizer, "model"), "ignore_merges") == Json(true);
  const Json& normalizer = JsonAt(tokenizer, "normalizer");
  for (const FirstCut& cut : kCuts) {
    if (cut.ignore_merges != ignores || !Matches(cut, parts)) continue;
    if (normalizer.is_null() || (cut.nfc && TypeOf(normalizer) == "NFC")) return std::string(cut.name);
    return GgufCannotStoreError("the normalizer of tokenizer.json",
                                "llama.cpp has none for '" + std::string(cut.name) + "'");
  }
  return GgufCannotStoreError("the pre_tokenizer of tokenizer.json", "llama.cpp has no name for it that is known here");
}

absl::StatusOr<Json> FirstCutSteps(std::string_view name) {
  for (const auto& [other, known] : kOtherNames) {
    if (name == other) name = known;
  }
  for (const FirstCut& cut : kCuts) {
    if (cut.name != name) continue;
    Json parts = Json::array();
    for (const std::string_view step : cut.steps) {
      parts.push_back(
          step == kDigits
              ? Json{{"type", "Digits"}, {"individual_digits", true}}
              : Json{{"type", "Split"}, {"pattern", {{"Regex", step}}}, {"behavior", "Isolated"}, {"invert", false}});
    }
    parts.push_back(
        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", cut.level_regex}});
    Json steps = {{"normalizer", cut.nfc ? Json{{"type", "NFC"}} : Json()}, {"ignore_merges", cut.ignore_merges}};
    steps["pre_tokenizer"] = parts.size() == 1 ? parts[0] : Json{{"type", "Sequence"}, {"pretokenizers", parts}};
    return steps;
  }
  return GgufCannotStoreError("the first cut '" + std::string(name) + "'", "its steps are not known here");
}

}  // namespace bitwright::worker
