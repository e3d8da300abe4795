#include "workers/tokenizer/sentencepiece_merges.h"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/json_reader.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

using Piece = SentencePieceModel::Piece;
using PieceType = SentencePieceModel::PieceType;

struct Parts {
  absl::flat_hash_set<std::string_view> normal;  // that can be joined
  absl::flat_hash_set<std::string_view> all;
};

// Appends the ways to cut `piece` in two, and the rank of each.
absl::Status AddCuts(const Piece& piece, const std::string& field, int32_t rank, const Parts& parts,
                     BpeConfig& config) {
  const std::string_view text = piece.text;
  for (size_t at = 0; at < text.size();) {
    const size_t length = CodePointBytes(text[at]);
    const std::string_view character = text.substr(at, length);
    if (length < text.size() && !parts.all.contains(character)) {
      return SentencePieceUnsupportedError(
          field, absl::StrCat("\"", piece.text, "\" with a character that is no piece"), "pieces made of pieces");
    }
    at += length;
    if (at == text.size() || !parts.normal.contains(text.substr(0, at)) || !parts.normal.contains(text.substr(at))) {
      continue;
    }
    if (config.merges.size() >= static_cast<size_t>(kMaxMerges)) {
      return SentencePieceInvalidError("pieces", absl::StrCat("give more than ", kMaxMerges, " merges"));
    }
    config.merges.emplace_back(text.substr(0, at), text.substr(at));
    config.ranks.push_back(rank);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status AddMerges(const SentencePieceModel& model, BpeConfig& config) {
  Parts parts;
  std::vector<float> scores;  // falling, each once
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type == PieceType::kUnused) {
      return SentencePieceUnsupportedError(absl::StrCat("pieces[", id, "].type"), "UNUSED", "types other than UNUSED");
    }
    parts.all.insert(piece.text);
    if (piece.type != PieceType::kNormal) continue;
    parts.normal.insert(piece.text);
    scores.push_back(piece.score);
  }
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type != PieceType::kNormal) continue;
    const auto rank = std::lower_bound(scores.begin(), scores.end(), piece.score, std::greater<>()) - scores.begin();
    ABSL_RETURN_IF_ERROR(AddCuts(piece, absl::StrCat("pieces[", id, "]"), static_cast<int32_t>(rank), parts, config));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
