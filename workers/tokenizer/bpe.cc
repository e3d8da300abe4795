#include "workers/tokenizer/bpe.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/bpe_merges.h"
#include "workers/tokenizer/bpe_seams.h"
#include "workers/tokenizer/byte_level.h"
#include "workers/tokenizer/piece_cache.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {

struct Bpe::Tables {
  BpeConfig options;  // without its lists
  Vocabulary vocabulary;
  BpeMerges merges;
  BpeSeams seams;
  std::array<int32_t, 256> byte_ids{};  // of the byte alphabet; -1: not in the vocabulary
  bool whole_alphabet = false;
  int32_t unk_id = -1;

  absl::Status AddMerges(const BpeConfig& config) {
    merges.Reserve(config.merges.size());
    for (size_t i = 0; i < config.merges.size(); ++i) {
      const auto& [left, right] = config.merges[i];
      const std::string whole = left + right;
      const std::string_view names[3] = {left, right, whole};
      int32_t ids[3];
      for (int part = 0; part < 3; ++part) {
        const auto id = vocabulary.IdOf(names[part]);
        if (!id) {
          return TokenizerInvalidError(absl::StrCat("model.merges[", i, "]"),
                                       absl::StrCat("\"", std::string(names[part]), "\" is not in model.vocab"));
        }
        ids[part] = *id;
      }
      merges.Set(ids[0], ids[1], {config.ranks.empty() ? static_cast<int32_t>(i) : config.ranks[i], ids[2]});
      if (!config.byte_alphabet) seams.AddWhole(whole);
    }
    return absl::OkStatus();
  }
};

// Encodes by characters; where the byte alphabet is whole, by bytes, of which none is unknown.
class Bpe::PieceEncoder final : public Encoder {
 public:
  explicit PieceEncoder(const Tables& tables) : tables_(tables) {}

  absl::Status Encode(std::string_view piece, IdBuffer& out) override {
    const BpeConfig& options = tables_.options;
    const bool whole = options.byte_alphabet || options.ignore_merges;
    while (!piece.empty()) {
      const size_t end = whole ? piece.size() : FirstSeam(piece);
      ABSL_RETURN_IF_ERROR(EncodePart(piece.substr(0, end), out.ids));
      ABSL_RETURN_IF_ERROR(out.PassOn());
      piece.remove_prefix(end);
    }
    return absl::OkStatus();
  }

 private:
  size_t FirstSeam(std::string_view piece) const {
    int32_t left = -1;  // unknown
    size_t at = 0;
    while (at < piece.size()) {
      const std::string_view rest = piece.substr(at);
      const size_t length = CodePointBytes(rest.front());
      const int32_t right = tables_.vocabulary.IdOf(rest.substr(0, length)) ? FirstCodePoint(rest) : -1;
      if (left >= 0 && right >= 0 && tables_.seams.Between(left, right)) return at;
      left = right;
      at += length;
    }
    return piece.size();
  }

  absl::Status EncodePart(std::string_view part, std::vector<int32_t>& ids) {
    const auto size = static_cast<int64_t>(part.size());
    if (size > kMaxPieceBytes) {
      return TextTooLongError("a piece of text that the tokenizer does not cut", size, kMaxPieceBytes);
    }
    cache_.Append(part, ids, [this](std::string_view fresh, std::vector<int32_t>& out) { EncodeFresh(fresh, out); });
    return absl::OkStatus();
  }

  void EncodeFresh(std::string_view part, std::vector<int32_t>& ids) {
    const BpeConfig& options = tables_.options;
    const bool by_bytes = options.byte_alphabet && tables_.whole_alphabet;
    std::string chars;
    if (options.byte_alphabet && (!by_bytes || options.ignore_merges)) chars = CharsOfBytes(part);
    const std::string_view written = options.byte_alphabet ? std::string_view(chars) : part;
    if (options.ignore_merges) {
      if (const auto id = tables_.vocabulary.IdOf(written)) {
        ids.push_back(*id);
        return;
      }
    }
    const size_t begin = ids.size();
    if (by_bytes) {
      for (char byte : part) ids.push_back(tables_.byte_ids[static_cast<uint8_t>(byte)]);
    } else {
      AppendCharacters(written, ids);
    }
    tables_.merges.Join(ids, begin, work_);
  }

  // As in the reference library, an unknown token waits until the next known character, also past bytes.
  void AppendCharacters(std::string_view text, std::vector<int32_t>& ids) const {
    const BpeConfig& options = tables_.options;
    bool unknown = false;
    for (; !text.empty(); text.remove_prefix(CodePointBytes(text.front()))) {
      const std::string_view character = text.substr(0, CodePointBytes(text.front()));
      const auto id = tables_.vocabulary.IdOf(character);
      if (!id && options.byte_fallback && tables_.vocabulary.AppendByteTokens(character, ids)) continue;
      if (!id && tables_.unk_id < 0) continue;
      if (unknown && (id || !options.fuse_unk)) ids.push_back(tables_.unk_id);
      unknown = !id;
      if (id) ids.push_back(*id);
    }
    if (unknown) ids.push_back(tables_.unk_id);
  }

  const Tables& tables_;
  PieceCache cache_;
  BpeMerges::Workspace work_;
};

Bpe::Bpe(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Bpe::~Bpe() = default;

absl::StatusOr<std::unique_ptr<const TokenModel>> Bpe::Create(BpeConfig config) {
  ABSL_ASSIGN_OR_RETURN(Vocabulary vocabulary, Vocabulary::Create(std::move(config.vocab)));
  auto tables =
      std::make_unique<Tables>(Tables{.options = {}, .vocabulary = std::move(vocabulary), .merges = {}, .seams = {}});
  ABSL_RETURN_IF_ERROR(tables->AddMerges(config));
  for (int byte = 0; byte < 256; ++byte) {
    tables->byte_ids[byte] = tables->vocabulary.IdOf(CharOfByte(static_cast<uint8_t>(byte))).value_or(-1);
  }
  tables->whole_alphabet =
      std::none_of(tables->byte_ids.begin(), tables->byte_ids.end(), [](int32_t id) { return id < 0; });
  if (config.unk_token) {
    tables->unk_id = tables->vocabulary.IdOf(*config.unk_token).value_or(-1);
    const bool cannot_occur = config.byte_alphabet && tables->whole_alphabet;
    if (tables->unk_id < 0 && !cannot_occur) {
      return TokenizerInvalidError("model.unk_token",
                                   absl::StrCat("\"", *config.unk_token, "\" is not in model.vocab"));
    }
  }
  config.vocab = {};
  config.merges = {};
  config.ranks = {};
  tables->options = std::move(config);
  return std::unique_ptr<const TokenModel>(new Bpe(std::move(tables)));
}

const Vocabulary& Bpe::vocabulary() const { return tables_->vocabulary; }
std::unique_ptr<TokenModel::Encoder> Bpe::NewEncoder() const { return std::make_unique<PieceEncoder>(*tables_); }

}  // namespace bitwright::worker
