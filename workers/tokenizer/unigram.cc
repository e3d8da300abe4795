#include "workers/tokenizer/unigram.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/byte_trie.h"
#include "workers/tokenizer/piece_cache.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {

struct Unigram::Tables {
  UnigramConfig options;  // without pieces
  Vocabulary vocabulary;
  ByteTrie trie;               // of the pieces that texts can hold
  std::vector<double> scores;  // by id
};

// Walks the text once, with the best path to each place behind it. Where no token reaches over a place, every path goes
// through it: the tokens before are settled, and their memory is used again.
class Unigram::PieceEncoder final : public Encoder {
 public:
  explicit PieceEncoder(const Tables& tables) : tables_(tables) {}

  absl::Status Encode(std::string_view piece, IdBuffer& out) override {
    if (piece.size() > kMaxRememberedBytes) return Walk(piece, out.ids, &out);
    cache_.Append(piece, out.ids, [this](std::string_view fresh, std::vector<int32_t>& ids) {
      Walk(fresh, ids, nullptr).IgnoreError();  // too short for the only error
    });
    return out.PassOn();
  }

 private:
  static constexpr size_t kMaxRememberedBytes = 4096;

  // The best path to a place in the text: its score, and its last token.
  struct Arrival {
    double score = 0;
    int32_t id = 0;
    int32_t length = 0;  // of the last token, in bytes; 0: no path yet
  };

  // Appends to ids; where they are those of `out`, passes them on.
  absl::Status Walk(std::string_view text, std::vector<int32_t>& ids, IdBuffer* out) {
    unknown_ = {};
    arrivals_.assign(1, Arrival{});
    size_t settled = 0;  // the place of arrivals_[0]
    for (size_t at = 0; at < text.size(); at += CodePointBytes(text[at])) {
      if (at > settled && settled + arrivals_.size() - 1 == at) {
        Settle(text, settled, ids);
        if (out != nullptr) ABSL_RETURN_IF_ERROR(out->PassOn());
        arrivals_.assign(1, Arrival{.score = arrivals_.back().score});
        settled = at;
      }
      const auto open = static_cast<int64_t>(at - settled);
      if (open > kMaxPieceBytes) {
        return TextTooLongError("a piece of text that the tokenizer does not cut", open, kMaxPieceBytes);
      }
      Advance(text.substr(at), at - settled);
    }
    Settle(text, settled, ids);
    EmitUnknown(ids);
    return absl::OkStatus();
  }

  // Extends the best path to arrivals_[from] by every token that `rest` begins with.
  void Advance(std::string_view rest, size_t from) {
    const double before = arrivals_[from].score;
    const size_t character = CodePointBytes(rest.front());
    bool covered = false;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t length = 1; length <= rest.size(); ++length) {
      const auto next = tables_.trie.Step(node, rest[length - 1]);
      if (!next) break;
      node = *next;
      const int32_t id = tables_.trie.ValueAt(node);
      if (id == ByteTrie::kNone) continue;
      Arrive(from + length, before + tables_.scores[id], id, length);
      covered = covered || length == character;
    }
    if (!covered) Arrive(from + character, before + tables_.options.unknown_score, tables_.options.unk_id, character);
  }

  void Arrive(size_t place, double score, int32_t id, size_t length) {
    if (arrivals_.size() <= place) arrivals_.resize(place + 1);
    if (tables_.options.single_precision) score = static_cast<float>(score);
    Arrival& arrival = arrivals_[place];
    if (arrival.length != 0 && score <= arrival.score) return;
    arrival = {score, id, static_cast<int32_t>(length)};
  }

  // Appends the tokens of the best path to the last arrival.
  void Settle(std::string_view text, size_t settled, std::vector<int32_t>& ids) {
    path_.clear();
    for (size_t place = arrivals_.size() - 1; place > 0; place -= arrivals_[place].length) path_.push_back(place);
    for (auto place = path_.rbegin(); place != path_.rend(); ++place) {
      const Arrival& arrival = arrivals_[*place];
      const size_t begin = settled + *place - arrival.length;
      if (arrival.id == tables_.options.unk_id) {
        if (unknown_.empty()) unknown_ = text.substr(begin, 0);
        unknown_ = text.substr(unknown_.data() - text.data(), unknown_.size() + arrival.length);
        continue;
      }
      EmitUnknown(ids);
      ids.push_back(arrival.id);
    }
  }

  // A run of unknown characters is looked up as a whole, as in the reference library.
  void EmitUnknown(std::vector<int32_t>& ids) {
    const std::string_view run = std::exchange(unknown_, {});
    if (run.empty()) return;
    if (const auto id = tables_.vocabulary.IdOf(run)) {
      ids.push_back(*id);
      return;
    }
    if (tables_.options.byte_fallback && tables_.vocabulary.AppendByteTokens(run, ids)) return;
    ids.push_back(tables_.options.unk_id);
  }

  const Tables& tables_;
  PieceCache cache_;
  std::vector<Arrival> arrivals_;
  std::vector<size_t> path_;
  std::string_view unknown_;  // the run of unknown characters that may go on
};

Unigram::Unigram(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Unigram::~Unigram() = default;

absl::StatusOr<std::unique_ptr<const TokenModel>> Unigram::Create(UnigramConfig config) {
  if (config.unk_id < 0 || config.unk_id >= static_cast<int64_t>(config.pieces.size())) {
    return TokenizerInvalidError("model.unk_id", absl::StrCat(config.unk_id, " is not an id of model.vocab"));
  }
  std::vector<Vocabulary::Entry> entries;
  std::vector<double> scores;
  ByteTrie trie;
  for (size_t i = 0; i < config.pieces.size(); ++i) {
    UnigramConfig::Piece& piece = config.pieces[i];
    const std::string field = absl::StrCat("model.vocab[", i, "]");
    if (piece.text.empty() || piece.text.size() > kMaxTokenBytes) {
      return TokenizerInvalidError(field, absl::StrCat("the token must have 1 to ", kMaxTokenBytes, " bytes"));
    }
    if (!std::isfinite(piece.score)) return TokenizerInvalidError(field, "the score is not finite");
    const auto id = static_cast<int32_t>(i);
    if (piece.in_texts) trie.Insert(piece.text, id);
    scores.push_back(piece.score);
    entries.emplace_back(std::move(piece.text), id);
  }
  ABSL_ASSIGN_OR_RETURN(Vocabulary vocabulary, Vocabulary::Create(std::move(entries)));
  config.pieces = {};
  return std::unique_ptr<const TokenModel>(new Unigram(std::make_unique<const Tables>(
      Tables{std::move(config), std::move(vocabulary), std::move(trie), std::move(scores)})));
}

const Vocabulary& Unigram::vocabulary() const { return tables_->vocabulary; }
std::unique_ptr<TokenModel::Encoder> Unigram::NewEncoder() const { return std::make_unique<PieceEncoder>(*tables_); }

}  // namespace bitwright::worker
