#include "workers/tokenizer/bpe.h"

#include <algorithm>
#include <array>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/byte_level.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

struct Merge {
  int32_t rank;
  int32_t whole;
};

uint64_t PairKey(int32_t left, int32_t right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}

std::string Quoted(std::string_view text) {
  return absl::StrCat("\"", absl::string_view(text.data(), text.size()), "\"");
}

}  // namespace

struct Bpe::Tables {
  std::vector<std::string> tokens;
  absl::flat_hash_map<std::string_view, int32_t> ids;  // views into tokens
  absl::flat_hash_map<uint64_t, Merge> merges;
  std::array<int32_t, 256> byte_ids;  // -1: not in the vocabulary
  bool ignore_merges = false;

  absl::Status AddTokens(std::vector<std::pair<std::string, int32_t>> vocab) {
    int32_t largest = -1;
    for (const auto& [token, id] : vocab) largest = std::max(largest, id);
    tokens.resize(largest + 1);
    std::vector<bool> taken(largest + 1);
    ids.reserve(vocab.size());
    for (auto& [token, id] : vocab) {
      const std::string field = absl::StrCat("model.vocab[", Quoted(token), "]");
      if (taken[id]) return TokenizerInvalidError(field, absl::StrCat("another token has the id ", id, " too"));
      taken[id] = true;
      tokens[id] = std::move(token);
      if (!ids.emplace(tokens[id], id).second) return TokenizerInvalidError(field, "the token occurs twice");
    }
    for (int byte = 0; byte < 256; ++byte) {
      const auto found = ids.find(CharOfByte(static_cast<uint8_t>(byte)));
      byte_ids[byte] = found == ids.end() ? -1 : found->second;
    }
    return absl::OkStatus();
  }

  // Where a pair occurs twice the later one counts, as in the reference library.
  absl::Status AddMerges(const std::vector<std::pair<std::string, std::string>>& list) {
    merges.reserve(list.size());
    for (size_t rank = 0; rank < list.size(); ++rank) {
      const auto& [left, right] = list[rank];
      int32_t parts[3];
      const std::string whole = left + right;
      const std::string_view names[3] = {left, right, whole};
      for (int i = 0; i < 3; ++i) {
        const auto found = ids.find(names[i]);
        if (found == ids.end()) {
          return TokenizerInvalidError(absl::StrCat("model.merges[", rank, "]"),
                                       Quoted(names[i]) + " is not in model.vocab");
        }
        parts[i] = found->second;
      }
      merges[PairKey(parts[0], parts[1])] = {static_cast<int32_t>(rank), parts[2]};
    }
    return absl::OkStatus();
  }
};

Bpe::Bpe(std::unique_ptr<const Tables> tables) : tables_(std::move(tables)) {}
Bpe::Bpe(Bpe&&) noexcept = default;
Bpe::~Bpe() = default;

absl::StatusOr<Bpe> Bpe::Create(BpeConfig config) {
  auto tables = std::make_unique<Tables>();
  tables->ignore_merges = config.ignore_merges;
  ABSL_RETURN_IF_ERROR(tables->AddTokens(std::move(config.vocab)));
  ABSL_RETURN_IF_ERROR(tables->AddMerges(config.merges));
  const bool whole_alphabet =
      std::none_of(tables->byte_ids.begin(), tables->byte_ids.end(), [](int id) { return id < 0; });
  if (config.unk_token && !whole_alphabet) {
    return TokenizerUnsupportedError("model.unk_token", *config.unk_token, "null, or a vocabulary with all 256 bytes");
  }
  return Bpe(std::move(tables));
}

std::optional<int32_t> Bpe::IdOf(std::string_view token) const {
  const auto found = tables_->ids.find(token);
  return found == tables_->ids.end() ? std::nullopt : std::optional<int32_t>(found->second);
}

int64_t Bpe::token_count() const { return static_cast<int64_t>(tables_->ids.size()); }
bool Bpe::HasToken(int64_t id) const {
  if (id < 0 || id >= static_cast<int64_t>(tokens().size())) return false;
  return !tokens()[id].empty() || IdOf("") == static_cast<int32_t>(id);
}
const std::vector<std::string>& Bpe::tokens() const { return tables_->tokens; }

struct Bpe::Encoder::State {
  struct Symbol {
    int32_t id;
    int32_t previous;  // -1: none
    int32_t next;
  };
  // A pair that could be joined; stale once either side has changed.
  struct Candidate {
    int32_t rank;
    int32_t at;
    int32_t left;
    int32_t right;
    int32_t whole;
    // For a heap with the best on top.
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  struct Seen {
    size_t begin;
    size_t count;
  };

  const Tables& tables;
  bool raw_bytes;
  absl::flat_hash_map<std::string_view, Seen> seen;
  std::vector<int32_t> pool;  // ids of the pieces seen
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;

  State(const Tables& t, bool raw) : tables(t), raw_bytes(raw) {}

  void Start(std::string_view piece) {
    symbols.clear();
    const auto add = [&](int32_t id) {
      const auto index = static_cast<int32_t>(symbols.size());
      if (id >= 0) symbols.push_back({id, index - 1, index + 1});
    };
    if (raw_bytes) {
      for (char byte : piece) add(tables.byte_ids[static_cast<uint8_t>(byte)]);
    } else {
      while (!piece.empty()) {
        const size_t length = CodePointBytes(piece.front());
        const auto found = tables.ids.find(piece.substr(0, length));
        add(found == tables.ids.end() ? -1 : found->second);
        piece.remove_prefix(length);
      }
    }
    if (!symbols.empty()) symbols.back().next = -1;
  }

  void Consider(int32_t at) {
    if (at < 0 || symbols[at].next < 0) return;
    const int32_t left = symbols[at].id;
    const int32_t right = symbols[symbols[at].next].id;
    const auto found = tables.merges.find(PairKey(left, right));
    if (found == tables.merges.end()) return;
    heap.push_back({found->second.rank, at, left, right, found->second.whole});
    std::push_heap(heap.begin(), heap.end());
  }

  void Join() {
    heap.clear();
    for (size_t at = 0; at + 1 < symbols.size(); ++at) Consider(static_cast<int32_t>(at));
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end());
      const Candidate best = heap.back();
      heap.pop_back();
      Symbol& left = symbols[best.at];
      if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;
      Symbol& right = symbols[left.next];
      left.id = best.whole;
      right.id = -1;  // makes candidates that start here stale
      left.next = right.next;
      if (left.next >= 0) symbols[left.next].previous = best.at;
      Consider(left.previous);
      Consider(best.at);
    }
  }

  void EncodeFresh(std::string_view piece) {
    if (tables.ignore_merges) {
      const auto found = raw_bytes ? tables.ids.find(CharsOfBytes(piece)) : tables.ids.find(piece);
      if (found != tables.ids.end()) {
        pool.push_back(found->second);
        return;
      }
    }
    Start(piece);
    Join();
    for (const Symbol& symbol : symbols) {
      if (symbol.id >= 0) pool.push_back(symbol.id);
    }
  }
};

Bpe::Encoder::Encoder(const Bpe& bpe, bool raw_bytes) : state_(std::make_unique<State>(*bpe.tables_, raw_bytes)) {}
Bpe::Encoder::~Encoder() = default;

absl::Status Bpe::Encoder::Encode(std::string_view piece, std::vector<int32_t>& ids) {
  State& state = *state_;
  const auto [entry, fresh] = state.seen.try_emplace(piece);
  if (fresh) {
    const auto size = static_cast<int64_t>(piece.size());
    if (size > kMaxPieceBytes)
      return TextTooLongError("a piece of text that the tokenizer does not cut", size, kMaxPieceBytes);
    entry->second.begin = state.pool.size();
    state.EncodeFresh(piece);
    entry->second.count = state.pool.size() - entry->second.begin;
  }
  const auto first = state.pool.begin() + static_cast<std::ptrdiff_t>(entry->second.begin);
  ids.insert(ids.end(), first, first + static_cast<std::ptrdiff_t>(entry->second.count));
  return absl::OkStatus();
}

}  // namespace bitwright::worker
