#include "workers/tokenizer/sentencepiece_config.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/sentencepiece_merges.h"
#include "workers/tokenizer/sentencepiece_model.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

using ModelType = SentencePieceModel::ModelType;
using Piece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

absl::Status CheckSupported(const SentencePieceModel& model) {
  if (model.model_type != ModelType::kBpe && model.model_type != ModelType::kUnigram) {
    const char* name = model.model_type == ModelType::kWord ? "WORD" : "CHAR";
    return SentencePieceUnsupportedError("trainer_spec.model_type", name, "UNIGRAM, BPE");
  }
  if (model.treat_whitespace_as_suffix) {
    return SentencePieceUnsupportedError("trainer_spec.treat_whitespace_as_suffix", "true", "false");
  }
  if (!model.escape_whitespaces) {
    return SentencePieceUnsupportedError("normalizer_spec.escape_whitespaces", "false", "true");
  }
  return absl::OkStatus();
}

absl::StatusOr<int32_t> UnknownId(const SentencePieceModel& model) {
  int32_t found = -1;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    if (model.pieces[id].type != PieceType::kUnknown) continue;
    if (found >= 0) return SentencePieceInvalidError("pieces", "two are of type UNKNOWN");
    found = static_cast<int32_t>(id);
  }
  if (found < 0) return SentencePieceInvalidError("pieces", "none is of type UNKNOWN");
  return found;
}

absl::Status CheckBytes(const SentencePieceModel& model) {
  int64_t bytes = 0;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type != PieceType::kByte) continue;
    if (!model.byte_fallback || !ByteOfToken(piece.text)) {
      return SentencePieceInvalidError(absl::StrCat("pieces[", id, "]"), "is of type BYTE and stands for no byte");
    }
    ++bytes;
  }
  if (!model.byte_fallback || bytes == 256) return absl::OkStatus();
  return SentencePieceInvalidError("pieces", absl::StrCat("has ", bytes, " bytes where byte_fallback needs 256"));
}

// A piece of the user is worth more than any others in its place, the longer the more: so SentencePiece 0.2.3.
double UsersScore(const Piece& piece) { return 0.1 * static_cast<double>(piece.text.size() - 1); }

UnigramConfig UnigramOf(const SentencePieceModel& model, int32_t unk_id) {
  UnigramConfig config{.unk_id = unk_id, .byte_fallback = model.byte_fallback, .single_precision = true};
  float lowest = std::numeric_limits<float>::max();
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::kNormal) lowest = std::min(lowest, piece.score);
    const bool users = piece.type == PieceType::kUserDefined;
    config.pieces.push_back({.text = piece.text,
                             .score = users ? UsersScore(piece) : piece.score,
                             .in_texts = users || piece.type == PieceType::kNormal});
  }
  config.unknown_score = lowest - static_cast<float>(Unigram::kUnknownPenalty);
  return config;
}

absl::StatusOr<BpeConfig> BpeOf(const SentencePieceModel& model, int32_t unk_id) {
  BpeConfig config{.byte_fallback = model.byte_fallback, .unk_token = model.pieces[unk_id].text, .fuse_unk = true};
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    config.vocab.emplace_back(model.pieces[id].text, static_cast<int32_t>(id));
  }
  ABSL_RETURN_IF_ERROR(AddMerges(model, config));
  return config;
}

// What a text is cut at before the model sees it.
std::vector<AddedToken> AddedTokensOf(const SentencePieceModel& model) {
  std::vector<AddedToken> tokens;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    const bool special = piece.type == PieceType::kControl || piece.type == PieceType::kUnknown;
    const bool alone = model.model_type == ModelType::kBpe && piece.type == PieceType::kUserDefined;
    if (!special && !alone) continue;
    tokens.push_back({.id = static_cast<int32_t>(id), .content = piece.text, .normalized = alone, .special = special});
  }
  return tokens;
}

absl::StatusOr<SentencePieceRules> RulesOf(const SentencePieceModel& model) {
  SentencePieceRules rules{.add_dummy_prefix = model.add_dummy_prefix,
                           .remove_extra_whitespaces = model.remove_extra_whitespaces};
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::kUserDefined) rules.kept.push_back(piece.text);
  }
  if (model.precompiled_charsmap.empty()) return rules;
  ABSL_ASSIGN_OR_RETURN(Charsmap charsmap, Charsmap::Create(model.precompiled_charsmap, [](const std::string& problem) {
                          return SentencePieceInvalidError("normalizer_spec.precompiled_charsmap", problem);
                        }));
  rules.charsmap = std::make_shared<const Charsmap>(std::move(charsmap));
  return rules;
}

std::vector<DecoderStep> DecoderOf(const SentencePieceModel& model) {
  std::vector<DecoderStep> steps{Replacement{"decoder", std::string(kSpaceSymbol), false, " "}, ByteFallbackDecoder{},
                                 FuseDecoder{}};
  if (model.add_dummy_prefix) steps.emplace_back(StripDecoder{.content = " ", .start = 1});
  return steps;
}

}  // namespace

absl::StatusOr<TokenizerConfig> ReadSentencePieceConfig(std::string_view tokenizer_model) {
  ABSL_ASSIGN_OR_RETURN(const SentencePieceModel model, ReadSentencePieceModel(tokenizer_model));
  ABSL_RETURN_IF_ERROR(CheckSupported(model));
  ABSL_RETURN_IF_ERROR(CheckBytes(model));
  ABSL_ASSIGN_OR_RETURN(const int32_t unk_id, UnknownId(model));
  TokenizerConfig config;
  config.added_tokens = AddedTokensOf(model);
  config.normalized_contents = true;
  ABSL_ASSIGN_OR_RETURN(SentencePieceRules rules, RulesOf(model));
  config.normalizer.emplace_back(std::move(rules));
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type == PieceType::kControl && piece.text == model.bos_piece) {
      config.special_tokens.prefix = {static_cast<int32_t>(id)};
    }
  }
  config.decoder = DecoderOf(model);
  if (model.model_type == ModelType::kUnigram) {
    config.model = UnigramOf(model, unk_id);
  } else {
    ABSL_ASSIGN_OR_RETURN(config.model, BpeOf(model, unk_id));
  }
  return config;
}

}  // namespace bitwright::worker
