#include "workers/tokenizer/config.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/json_fields.h"
#include "workers/tokenizer/json_reader.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

constexpr size_t kMaxSteps = 64;  // of one sequence of normalizers or pre-tokenizers, all levels together

absl::StatusOr<AddedToken> ReadAddedToken(const JsonField& field) {
  AddedToken token;
  ABSL_ASSIGN_OR_RETURN(const JsonField id, field.At("id"));
  ABSL_ASSIGN_OR_RETURN(token.id, id.Id());
  ABSL_ASSIGN_OR_RETURN(token.content, field.StringAt("content"));
  ABSL_ASSIGN_OR_RETURN(token.single_word, field.BoolAt("single_word"));
  ABSL_ASSIGN_OR_RETURN(token.lstrip, field.BoolAt("lstrip"));
  ABSL_ASSIGN_OR_RETURN(token.rstrip, field.BoolAt("rstrip"));
  ABSL_ASSIGN_OR_RETURN(token.normalized, field.BoolAt("normalized"));
  ABSL_ASSIGN_OR_RETURN(token.special, field.BoolAt("special"));
  if (token.content.empty() || token.content.size() > kMaxAddedTokenBytes) {
    return TokenizerInvalidError(field.path() + ".content",
                                 absl::StrCat("must have 1 to ", kMaxAddedTokenBytes, " bytes"));
  }
  return token;
}

absl::Status CheckSteps(const JsonField& field, size_t steps) {
  if (steps <= kMaxSteps) return absl::OkStatus();
  return TokenizerInvalidError(field.path(), absl::StrCat("has more than ", kMaxSteps, " steps"));
}

absl::Status ReadNormalizer(const JsonField& field, std::vector<Normalizer>& steps) {
  if (field.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string type, field.StringAt("type"));
  if (type == "Sequence") {
    ABSL_ASSIGN_OR_RETURN(const JsonField list, field.At("normalizers"));
    ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, list.Items());
    for (const JsonField& item : items) ABSL_RETURN_IF_ERROR(ReadNormalizer(item, steps));
    return CheckSteps(field, steps.size());
  }
  constexpr std::array<std::pair<std::string_view, Normalizer>, 5> kTypes = {{
      {"NFC", Normalizer::kNfc},
      {"NFD", Normalizer::kNfd},
      {"NFKC", Normalizer::kNfkc},
      {"NFKD", Normalizer::kNfkd},
      {"Lowercase", Normalizer::kLowercase},
  }};
  for (const auto& [name, step] : kTypes) {
    if (type == name) {
      steps.push_back(step);
      return CheckSteps(field, steps.size());
    }
  }
  return TokenizerUnsupportedError(field.path() + ".type", type, "NFC, NFD, NFKC, NFKD, Lowercase, Sequence, null");
}

absl::StatusOr<SplitBehavior> ReadBehavior(const JsonField& split) {
  ABSL_ASSIGN_OR_RETURN(const std::string name, split.StringAt("behavior"));
  constexpr std::array<std::pair<std::string_view, SplitBehavior>, 5> kBehaviors = {{
      {"Isolated", SplitBehavior::kIsolated},
      {"Removed", SplitBehavior::kRemoved},
      {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
      {"MergedWithNext", SplitBehavior::kMergedWithNext},
      {"Contiguous", SplitBehavior::kContiguous},
  }};
  for (const auto& [known, behavior] : kBehaviors) {
    if (name == known) return behavior;
  }
  return TokenizerInvalidError(split.path() + ".behavior", absl::StrCat("\"", name, "\" is no behavior"));
}

absl::StatusOr<PreTokenizerStep> ReadSplit(const JsonField& field) {
  PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kSplit, .field = field.path() + ".pattern"};
  ABSL_ASSIGN_OR_RETURN(const JsonField pattern, field.At("pattern"));
  step.is_regex = pattern.Has("Regex");
  ABSL_ASSIGN_OR_RETURN(step.pattern, pattern.StringAt(step.is_regex ? "Regex" : "String"));
  ABSL_ASSIGN_OR_RETURN(step.behavior, ReadBehavior(field));
  ABSL_ASSIGN_OR_RETURN(step.invert, field.BoolAt("invert"));
  return step;
}

absl::StatusOr<PreTokenizerStep> ReadByteLevel(const JsonField& field) {
  PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kByteLevel, .field = field.path()};
  ABSL_ASSIGN_OR_RETURN(step.add_prefix_space, field.BoolAt("add_prefix_space"));
  ABSL_ASSIGN_OR_RETURN(const JsonField use_regex, field.Optional("use_regex"));
  ABSL_ASSIGN_OR_RETURN(step.use_regex, use_regex.BoolOr(true));
  return step;
}

absl::Status ReadPreTokenizer(const JsonField& field, std::vector<PreTokenizerStep>& steps) {
  if (field.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string type, field.StringAt("type"));
  if (type == "Sequence") {
    ABSL_ASSIGN_OR_RETURN(const JsonField list, field.At("pretokenizers"));
    ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, list.Items());
    for (const JsonField& item : items) ABSL_RETURN_IF_ERROR(ReadPreTokenizer(item, steps));
  } else if (type == "ByteLevel") {
    ABSL_ASSIGN_OR_RETURN(steps.emplace_back(), ReadByteLevel(field));
  } else if (type == "Split") {
    ABSL_ASSIGN_OR_RETURN(steps.emplace_back(), ReadSplit(field));
  } else if (type == "Digits") {
    PreTokenizerStep step{.kind = PreTokenizerStep::Kind::kDigits, .field = field.path()};
    ABSL_ASSIGN_OR_RETURN(step.individual_digits, field.BoolAt("individual_digits"));
    steps.push_back(std::move(step));
  } else {
    return TokenizerUnsupportedError(field.path() + ".type", type, "ByteLevel, Split, Digits, Sequence, null");
  }
  return CheckSteps(field, steps.size());
}

absl::Status AppendSpecialToken(const JsonField& processor, const JsonField& piece, std::vector<int32_t>& ids) {
  ABSL_ASSIGN_OR_RETURN(const std::string name, piece.StringAt("id"));
  ABSL_ASSIGN_OR_RETURN(const JsonField table, processor.At("special_tokens"));
  ABSL_ASSIGN_OR_RETURN(const JsonField token, table.At(name));
  ABSL_ASSIGN_OR_RETURN(const JsonField list, token.At("ids"));
  ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, list.Items());
  for (const JsonField& item : items) {
    ABSL_ASSIGN_OR_RETURN(ids.emplace_back(), item.Id());
  }
  return absl::OkStatus();
}

absl::Status ReadTemplate(const JsonField& field, TokenizerConfig& config) {
  ABSL_ASSIGN_OR_RETURN(const JsonField single, field.At("single"));
  ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> pieces, single.Items());
  bool text_seen = false;
  for (const JsonField& piece : pieces) {
    if (piece.Has("SpecialToken")) {
      ABSL_ASSIGN_OR_RETURN(const JsonField token, piece.At("SpecialToken"));
      ABSL_RETURN_IF_ERROR(AppendSpecialToken(field, token, text_seen ? config.suffix : config.prefix));
      continue;
    }
    ABSL_ASSIGN_OR_RETURN(const JsonField sequence, piece.At("Sequence"));
    ABSL_ASSIGN_OR_RETURN(const std::string id, sequence.StringAt("id"));
    if (id != "A" || text_seen)
      return TokenizerInvalidError(single.path(), "must hold the sequence A once and no other");
    text_seen = true;
  }
  if (!text_seen) return TokenizerInvalidError(single.path(), "must hold the sequence A once");
  return absl::OkStatus();
}

// `templates` counts TemplateProcessing: in the reference library a second one sees the first one's tokens as a pair.
absl::Status ReadPostProcessor(const JsonField& field, TokenizerConfig& config, int& templates) {
  if (field.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string type, field.StringAt("type"));
  if (type == "ByteLevel") return absl::OkStatus();  // moves offsets only
  if (type == "Sequence") {
    ABSL_ASSIGN_OR_RETURN(const JsonField list, field.At("processors"));
    ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, list.Items());
    for (const JsonField& item : items) ABSL_RETURN_IF_ERROR(ReadPostProcessor(item, config, templates));
    return absl::OkStatus();
  }
  constexpr std::string_view kSupported = "one TemplateProcessing, ByteLevel, Sequence, null";
  if (type != "TemplateProcessing") return TokenizerUnsupportedError(field.path() + ".type", type, kSupported);
  if (++templates > 1)
    return TokenizerUnsupportedError(field.path() + ".type", "a second TemplateProcessing", kSupported);
  return ReadTemplate(field, config);
}

absl::Status CheckDecoder(const JsonField& field) {
  constexpr std::string_view kSupported = "ByteLevel";
  if (field.is_null()) return TokenizerUnsupportedError(field.path(), "null", kSupported);
  ABSL_ASSIGN_OR_RETURN(const std::string type, field.StringAt("type"));
  if (type != "ByteLevel") return TokenizerUnsupportedError(field.path() + ".type", type, kSupported);
  return absl::OkStatus();
}

// Options of the model that must be off: null, false or empty.
absl::Status CheckModelOptions(const JsonField& model) {
  ABSL_ASSIGN_OR_RETURN(const JsonField dropout, model.Optional("dropout"));
  if (!dropout.is_null()) return TokenizerUnsupportedError(dropout.path(), "a number", "null");
  for (std::string_view name : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    ABSL_ASSIGN_OR_RETURN(const JsonField option, model.Optional(name));
    if (option.is_null()) continue;
    ABSL_ASSIGN_OR_RETURN(const std::string text, option.String());
    if (!text.empty()) return TokenizerUnsupportedError(option.path(), text, "null");
  }
  ABSL_ASSIGN_OR_RETURN(const JsonField fallback, model.Optional("byte_fallback"));
  ABSL_ASSIGN_OR_RETURN(const bool byte_fallback, fallback.BoolOr(false));
  if (byte_fallback) return TokenizerUnsupportedError(fallback.path(), "true", "false");
  return absl::OkStatus();
}

absl::StatusOr<BpeConfig> ReadModel(const JsonField& model, TokenizerJson& parts) {
  BpeConfig config;
  ABSL_RETURN_IF_ERROR(CheckModelOptions(model));
  ABSL_ASSIGN_OR_RETURN(const JsonField ignore_merges, model.Optional("ignore_merges"));
  ABSL_ASSIGN_OR_RETURN(config.ignore_merges, ignore_merges.BoolOr(false));
  ABSL_ASSIGN_OR_RETURN(const JsonField unknown, model.Optional("unk_token"));
  if (!unknown.is_null()) {
    ABSL_ASSIGN_OR_RETURN(config.unk_token.emplace(), unknown.String());
  }
  if (!parts.has_vocab) return TokenizerInvalidError("model.vocab", "must be there, an object");
  if (!parts.has_merges) return TokenizerInvalidError("model.merges", "must be there, an array");
  config.vocab.reserve(parts.vocab.size());
  for (TokenizerJson::Entry& entry : parts.vocab) config.vocab.emplace_back(std::move(entry.token), entry.id);
  config.merges = std::move(parts.merges);
  return config;
}

absl::Status CheckHead(const JsonField& root, const JsonField& model) {
  ABSL_ASSIGN_OR_RETURN(const JsonField version, root.Optional("version"));
  if (!version.is_null()) {
    ABSL_ASSIGN_OR_RETURN(const std::string text, version.String());
    if (text != "1.0") return TokenizerUnsupportedError("version", text, "1.0");
  }
  // Files of early versions name no type.
  ABSL_ASSIGN_OR_RETURN(const JsonField type, model.Optional("type"));
  if (type.is_null()) return absl::OkStatus();
  ABSL_ASSIGN_OR_RETURN(const std::string name, type.String());
  return name == "BPE" ? absl::OkStatus() : TokenizerUnsupportedError("model.type", name, "BPE");
}

}  // namespace

absl::StatusOr<TokenizerConfig> ReadTokenizerConfig(std::string_view text) {
  ABSL_ASSIGN_OR_RETURN(TokenizerJson parts, ReadTokenizerJson(text));
  const JsonField root(parts.settings.get(), "");
  TokenizerConfig config;
  ABSL_ASSIGN_OR_RETURN(const JsonField model, root.At("model"));
  ABSL_RETURN_IF_ERROR(CheckHead(root, model));
  ABSL_ASSIGN_OR_RETURN(const JsonField normalizer, root.Optional("normalizer"));
  ABSL_RETURN_IF_ERROR(ReadNormalizer(normalizer, config.normalizers));
  ABSL_ASSIGN_OR_RETURN(const JsonField pre_tokenizer, root.Optional("pre_tokenizer"));
  ABSL_RETURN_IF_ERROR(ReadPreTokenizer(pre_tokenizer, config.pre_tokenizers));
  ABSL_ASSIGN_OR_RETURN(const JsonField post_processor, root.Optional("post_processor"));
  int templates = 0;
  ABSL_RETURN_IF_ERROR(ReadPostProcessor(post_processor, config, templates));
  ABSL_ASSIGN_OR_RETURN(const JsonField decoder, root.Optional("decoder"));
  ABSL_RETURN_IF_ERROR(CheckDecoder(decoder));
  ABSL_ASSIGN_OR_RETURN(config.model, ReadModel(model, parts));
  ABSL_ASSIGN_OR_RETURN(const JsonField added, root.Optional("added_tokens"));
  if (added.is_null()) return config;
  ABSL_ASSIGN_OR_RETURN(const std::vector<JsonField> items, added.Items());
  for (const JsonField& item : items) {
    ABSL_ASSIGN_OR_RETURN(config.added_tokens.emplace_back(), ReadAddedToken(item));
  }
  return config;
}

}  // namespace bitwright::worker
