#include "workers/tokenizer/token_model_config.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

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
  return absl::OkStatus();
}

absl::StatusOr<bool> ReadFlag(const JsonField& model, std::string_view name) {
  ABSL_ASSIGN_OR_RETURN(const JsonField flag, model.Optional(name));
  return flag.BoolOr(false);
}

absl::StatusOr<BpeConfig> ReadBpe(const JsonField& model, TokenizerJson& parts) {
  BpeConfig config;
  ABSL_RETURN_IF_ERROR(CheckModelOptions(model));
  ABSL_ASSIGN_OR_RETURN(config.ignore_merges, ReadFlag(model, "ignore_merges"));
  ABSL_ASSIGN_OR_RETURN(config.byte_fallback, ReadFlag(model, "byte_fallback"));
  ABSL_ASSIGN_OR_RETURN(config.fuse_unk, ReadFlag(model, "fuse_unk"));
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

absl::StatusOr<UnigramConfig> ReadUnigram(const JsonField& model, TokenizerJson& parts) {
  UnigramConfig config;
  ABSL_ASSIGN_OR_RETURN(config.byte_fallback, ReadFlag(model, "byte_fallback"));
  ABSL_ASSIGN_OR_RETURN(const JsonField unknown, model.Optional("unk_id"));
  if (unknown.is_null()) return TokenizerUnsupportedError(unknown.path(), "null", "the id of the unknown token");
  ABSL_ASSIGN_OR_RETURN(config.unk_id, unknown.Id());
  if (!parts.has_scores) return TokenizerInvalidError("model.vocab", "must be there, an array of tokens with scores");
  config.pieces.reserve(parts.scores.size());
  double lowest = 0;
  for (auto& [token, score] : parts.scores) {
    lowest = config.pieces.empty() ? score : std::min(lowest, score);
    config.pieces.push_back({.text = std::move(token), .score = score});
  }
  config.unknown_score = lowest - Unigram::kUnknownPenalty;
  return config;
}

}  // namespace

absl::StatusOr<TokenModelConfig> ReadTokenModel(const JsonField& model, TokenizerJson& parts) {
  // Files of early versions name no type.
  ABSL_ASSIGN_OR_RETURN(const JsonField type, model.Optional("type"));
  std::string name = "BPE";
  if (!type.is_null()) {
    ABSL_ASSIGN_OR_RETURN(name, type.String());
  }
  if (name == "BPE") return ReadBpe(model, parts);
  if (name == "Unigram") return ReadUnigram(model, parts);
  return TokenizerUnsupportedError(type.path(), name, "BPE, Unigram");
}

}  // namespace bitwright::worker
