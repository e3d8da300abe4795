#include "workers/import/gguf_tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "workers/import/import_errors.h"
#include "workers/targets/gguf_first_cut.h"
#include "workers/targets/gguf_tokens.h"
#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Json = nlohmann::json;
using Type = GgufTokenType;
using Merge = std::pair<std::string_view, std::string_view>;

constexpr char kSpace[] = "\u2581";
constexpr char kTokens[] = "tokenizer.ggml.tokens";

// The lists of a file, which belong together by index.
struct Vocabulary {
  std::vector<std::string_view> texts;
  std::vector<Type> types;
  std::vector<double> scores;  // of "llama"
  std::unordered_map<std::string_view, size_t> ids;

  bool Is(size_t id, Type type) const { return types[id] == type; }
};

absl::Status ListError(std::string_view what, std::string_view why) {
  return VocabularyInvalidError(absl::StrCat("of the GGUF: ", std::string(what)), why);
}

absl::StatusOr<Vocabulary> ReadVocabulary(const GgufMetadata& metadata, int64_t vocab_size) {
  Vocabulary vocabulary;
  ABSL_ASSIGN_OR_RETURN(vocabulary.texts, metadata.Texts(kTokens));
  const size_t count = vocabulary.texts.size();
  if (static_cast<int64_t>(count) > vocab_size) {
    return ListError(kTokens, absl::StrCat("has ", count, " tokens; the embedding has ", vocab_size));
  }
  vocabulary.types.assign(count, Type::kNormal);
  if (metadata.Has("tokenizer.ggml.token_type")) {
    ABSL_ASSIGN_OR_RETURN(const auto types, metadata.Integers("tokenizer.ggml.token_type"));
    if (types.size() != count) return ListError("tokenizer.ggml.token_type", "is not as long as the tokens");
    for (size_t i = 0; i < count; ++i) {
      const bool known =
          types[i] >= static_cast<int64_t>(Type::kNormal) && types[i] <= static_cast<int64_t>(Type::kByte);
      vocabulary.types[i] = known ? static_cast<Type>(types[i]) : Type::kNormal;
    }
  }
  if (metadata.Has("tokenizer.ggml.scores")) {
    ABSL_ASSIGN_OR_RETURN(vocabulary.scores, metadata.Reals("tokenizer.ggml.scores"));
    if (vocabulary.scores.size() != count) return ListError("tokenizer.ggml.scores", "is not as long as the tokens");
  }
  for (size_t i = 0; i < count; ++i) {
    const std::string_view text = vocabulary.texts[i];
    if (ValidUtf8Prefix(text) != text.size()) return ListError(kTokens, absl::StrCat("has no UTF-8 at id ", i));
    if (vocabulary.Is(i, Type::kUnused)) continue;
    if (text.empty()) return ListError(kTokens, absl::StrCat("has an empty text at id ", i));
    if (!vocabulary.ids.emplace(text, i).second) {
      return ListError(kTokens, absl::StrCat("has the text of id ", i, " twice"));
    }
  }
  return vocabulary;
}

// --- merges ---

absl::StatusOr<std::vector<Merge>> ReadMerges(const GgufMetadata& metadata) {
  ABSL_ASSIGN_OR_RETURN(const auto texts, metadata.Texts("tokenizer.ggml.merges"));
  std::vector<Merge> merges;
  merges.reserve(texts.size());
  for (const std::string_view text : texts) {
    // A token may begin with a space of its own, and none is empty.
    const size_t space = text.find(' ', 1);
    if (space == std::string_view::npos || ValidUtf8Prefix(text) != text.size()) {
      return ListError("tokenizer.ggml.merges", "has an element that is no pair");
    }
    merges.emplace_back(text.substr(0, space), text.substr(space + 1));
  }
  return merges;
}

bool BeginsCharacter(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// SentencePiece joins the neighbours whose token has the highest score: so all pairs that make a token, by that.
std::vector<Merge> MergesOfScores(const Vocabulary& vocabulary) {
  std::vector<size_t> order;
  for (size_t id = 0; id < vocabulary.texts.size(); ++id) {
    if (vocabulary.Is(id, Type::kNormal) || vocabulary.Is(id, Type::kUserDefined)) order.push_back(id);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return vocabulary.scores[a] > vocabulary.scores[b]; });
  std::vector<Merge> merges;
  for (const size_t id : order) {
    const std::string_view text = vocabulary.texts[id];
    std::vector<std::pair<std::pair<size_t, size_t>, Merge>> pairs;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if (!BeginsCharacter(text[cut])) continue;
      const auto left = vocabulary.ids.find(text.substr(0, cut)), right = vocabulary.ids.find(text.substr(cut));
      if (left == vocabulary.ids.end() || right == vocabulary.ids.end()) continue;
      pairs.push_back({{left->second, right->second}, {left->first, right->first}});
    }
    std::sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [ids, merge] : pairs) merges.push_back(merge);
  }
  return merges;
}

// --- special tokens ---

struct Special {
  std::optional<size_t> bos, eos, unknown, padding;
  bool adds_bos = false, adds_eos = false;
};

absl::StatusOr<Special> ReadSpecial(const GgufMetadata& metadata, const Vocabulary& vocabulary, bool adds_bos) {
  Special special;
  for (const auto& [key, id] : {std::pair{"bos", &special.bos},
                                {"eos", &special.eos},
                                {"unknown", &special.unknown},
                                {"padding", &special.padding}}) {
    const std::string name = absl::StrCat("tokenizer.ggml.", key, "_token_id");
    if (!metadata.Has(name)) continue;
    ABSL_ASSIGN_OR_RETURN(const int64_t value, metadata.Integer(name));
    if (value >= 0 && value < static_cast<int64_t>(vocabulary.texts.size())) *id = static_cast<size_t>(value);
  }
  special.adds_bos = adds_bos;
  for (const auto& [key, adds] : {std::pair{"tokenizer.ggml.add_bos_token", &special.adds_bos},
                                  {"tokenizer.ggml.add_eos_token", &special.adds_eos}}) {
    if (metadata.Has(key)) {
      ABSL_ASSIGN_OR_RETURN(*adds, metadata.Truth(key));
    }
  }
  special.adds_bos = special.adds_bos && special.bos;
  special.adds_eos = special.adds_eos && special.eos;
  return special;
}

Json PostProcessor(const Vocabulary& vocabulary, const Special& special) {
  if (!special.adds_bos && !special.adds_eos) return nullptr;
  Json single = Json::array(), pair = Json::array(), tokens = Json::object();
  const auto add = [&](Json& to, size_t id, int type) {
    const std::string text(vocabulary.texts[id]);
    to.push_back({{"SpecialToken", {{"id", text}, {"type_id", type}}}});
    tokens[text] = {{"id", text}, {"ids", Json::array({id})}, {"tokens", Json::array({text})}};
  };
  for (const auto& [name, type] : {std::pair{"A", 0}, {"B", 1}}) {
    for (Json* to : {&single, &pair}) {
      if (to == &single && type == 1) continue;
      if (special.adds_bos) add(*to, *special.bos, type);
      to->push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
      if (special.adds_eos) add(*to, *special.eos, type);
    }
  }
  return {{"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", tokens}};
}

// --- the file ---

// What differs between kinds; the lists, which are long, are written beside it.
struct Parts {
  Json normalizer, pre_tokenizer, decoder;
  bool bytes = false;  // byte_fallback
  bool ignore_merges = false;
};

std::string Text(std::string_view text) { return Json(std::string(text)).dump(); }

bool IsAdded(const Vocabulary& vocabulary, size_t id) {
  return vocabulary.Is(id, Type::kControl) || vocabulary.Is(id, Type::kUserDefined) ||
         vocabulary.Is(id, Type::kUnknown);
}

std::string AddedTokens(const Vocabulary& vocabulary) {
  std::string text;
  for (size_t id = 0; id < vocabulary.texts.size(); ++id) {
    if (!IsAdded(vocabulary, id)) continue;
    const bool special = !vocabulary.Is(id, Type::kUserDefined);
    absl::StrAppend(&text, text.empty() ? "" : ",", "\n    {\"id\":", id, ",\"content\":", Text(vocabulary.texts[id]),
                    ",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":",
                    special ? "true" : "false", "}");
  }
  return text;
}

// Added tokens are in it, too: others would get the ids behind it, in their order.
std::string VocabularyText(const Vocabulary& vocabulary) {
  std::string text;
  for (size_t id = 0; id < vocabulary.texts.size(); ++id) {
    if (vocabulary.Is(id, Type::kUnused)) continue;
    absl::StrAppend(&text, text.empty() ? "" : ",", "\n      ", Text(vocabulary.texts[id]), ":", id);
  }
  return text;
}

std::string TokenizerJson(const Vocabulary& vocabulary, const std::vector<Merge>& merges, const Special& special,
                          const Parts& parts) {
  const Json unknown = parts.bytes && special.unknown ? Json(std::string(vocabulary.texts[*special.unknown])) : Json();
  std::string text = "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n  \"added_tokens\": [";
  absl::StrAppend(&text, AddedTokens(vocabulary), "\n  ],\n  \"normalizer\": ", parts.normalizer.dump(),
                  ",\n  \"pre_tokenizer\": ", parts.pre_tokenizer.dump(),
                  ",\n  \"post_processor\": ", PostProcessor(vocabulary, special).dump(),
                  ",\n  \"decoder\": ", parts.decoder.dump(),
                  ",\n  \"model\": {\n    \"type\": \"BPE\",\n    \"dropout\": null");
  absl::StrAppend(&text, ",\n    \"unk_token\": ", unknown.dump(),
                  ",\n    \"continuing_subword_prefix\": null,\n    \"end_of_word_suffix\": null,\n    \"fuse_unk\": ",
                  parts.bytes ? "true" : "false", ",\n    \"byte_fallback\": ", parts.bytes ? "true" : "false",
                  ",\n    \"ignore_merges\": ", parts.ignore_merges ? "true" : "false", ",\n    \"vocab\": {",
                  VocabularyText(vocabulary), "\n    },\n    \"merges\": [");
  for (size_t i = 0; i < merges.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", "\n      [", Text(merges[i].first), ",", Text(merges[i].second), "]");
  }
  return text + "\n    ]\n  }\n}\n";
}

std::string TokenizerConfig(const GgufMetadata& metadata, const Vocabulary& vocabulary, const Special& special) {
  nlohmann::ordered_json config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                                   {"clean_up_tokenization_spaces", false}};
  for (const auto& [key, id] : {std::pair{"bos_token", special.bos},
                                {"eos_token", special.eos},
                                {"unk_token", special.unknown},
                                {"pad_token", special.padding}}) {
    if (id) config[key] = std::string(vocabulary.texts[*id]);
  }
  config["add_bos_token"] = special.adds_bos;
  config["add_eos_token"] = special.adds_eos;
  const auto chat = metadata.Text("tokenizer.chat_template");
  if (chat.ok() && ValidUtf8Prefix(*chat) == chat->size()) config["chat_template"] = std::string(*chat);
  return config.dump(2) + "\n";
}

// --- kinds ---

absl::StatusOr<Parts> ByteLevel(const SplitGguf& parts, const std::string& first_cut) {
  const auto steps = FirstCutSteps(first_cut);
  if (!steps.ok()) {
    return GgufUnsupportedError(parts.file(), "a tokenizer whose tokenizer.ggml.pre is '" + first_cut + "'",
                                "how it cuts a text first is not known here");
  }
  return Parts{
      .normalizer = steps->at("normalizer"),
      .pre_tokenizer = steps->at("pre_tokenizer"),
      .decoder = {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}},
      .ignore_merges = steps->at("ignore_merges").get<bool>()};
}

// As transformers writes a SentencePiece model.
Parts ByteFallback(bool prefix) {
  const Json replace = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpace}};
  const Json back = {{"type", "Replace"}, {"pattern", {{"String", kSpace}}}, {"content", " "}};
  Parts parts{.normalizer = replace, .pre_tokenizer = nullptr, .decoder = nullptr, .bytes = true};
  Json decoders = Json::array({back, {{"type", "ByteFallback"}}, {{"type", "Fuse"}}});
  if (prefix) {
    parts.normalizer = {{"type", "Sequence"},
                        {"normalizers", Json::array({{{"type", "Prepend"}, {"prepend", kSpace}}, replace})}};
    decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  parts.decoder = {{"type", "Sequence"}, {"decoders", decoders}};
  return parts;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ReadGgufTokenizer(const SplitGguf& parts, int64_t vocab_size) {
  const GgufMetadata& metadata = parts.metadata();
  std::map<std::string, std::string> files;
  const std::string model =
      metadata.Has("tokenizer.ggml.model") ? std::string(metadata.Text("tokenizer.ggml.model").value_or("")) : "none";
  if (model == "none" || model == "no_vocab") return files;
  const bool scored = model == "llama", lines = model == "gemma4";
  if (model != "gpt2" && !scored && !lines) {
    return GgufUnsupportedError(parts.file(), "a tokenizer of kind '" + model + "'", "known here are gpt2 and llama");
  }
  ABSL_ASSIGN_OR_RETURN(const Vocabulary vocabulary, ReadVocabulary(metadata, vocab_size));
  Parts own;
  std::vector<Merge> merges;
  bool adds_bos = scored || lines;
  if (scored) {
    if (vocabulary.scores.empty()) return metadata.Reals("tokenizer.ggml.scores").status();
    merges = MergesOfScores(vocabulary);
  } else {
    ABSL_ASSIGN_OR_RETURN(merges, ReadMerges(metadata));
  }
  if (scored || lines) {
    bool prefix = scored;
    if (metadata.Has("tokenizer.ggml.add_space_prefix")) {
      ABSL_ASSIGN_OR_RETURN(prefix, metadata.Truth("tokenizer.ggml.add_space_prefix"));
    }
    own = ByteFallback(prefix);
  } else {
    ABSL_ASSIGN_OR_RETURN(const std::string_view first_cut, metadata.Text("tokenizer.ggml.pre"));
    ABSL_ASSIGN_OR_RETURN(own, ByteLevel(parts, std::string(first_cut)));
    adds_bos = own.ignore_merges;  // of llama-bpe, as llama.cpp has it where no key says it
  }
  ABSL_ASSIGN_OR_RETURN(const Special special, ReadSpecial(metadata, vocabulary, adds_bos));
  files["tokenizer.json"] = TokenizerJson(vocabulary, merges, special, own);
  files["tokenizer_config.json"] = TokenizerConfig(metadata, vocabulary, special);
  return files;
}

}  // namespace bitwright::worker
