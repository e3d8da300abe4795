#include "workers/tokenizer/added_tokens.h"

#include <bitset>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

size_t LeadingSpace(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && IsUnicodeSpace(FirstCodePoint(text.substr(at)))) at += CodePointBytes(text[at]);
  return at;
}

// Where the white space at the end of text begins.
size_t TrailingSpaceStart(std::string_view text) {
  while (!text.empty() && IsUnicodeSpace(LastCodePoint(text))) {
    do {
      text.remove_suffix(1);
    } while (!text.empty() && (static_cast<uint8_t>(text.data()[text.size()]) & 0xC0) == 0x80);
  }
  return text.size();
}

bool TouchesWord(std::string_view before, std::string_view after) {
  return (!before.empty() && IsUnicodeWord(LastCodePoint(before))) ||
         (!after.empty() && IsUnicodeWord(FirstCodePoint(after)));
}

}  // namespace

// Nodes by number, 0 is the root; an edge is keyed by node and byte.
struct AddedTokenMatcher::Trie {
  absl::flat_hash_map<uint64_t, uint32_t> edges;
  std::vector<int32_t> token_at{-1};  // of each node: index into tokens, or -1
  std::vector<AddedToken> tokens;
  std::bitset<256> first_bytes;

  static uint64_t Edge(uint32_t node, char byte) { return uint64_t{node} << 8 | static_cast<uint8_t>(byte); }

  bool Insert(const AddedToken& token) {
    uint32_t node = 0;
    for (char byte : token.content) {
      const auto [edge, fresh] = edges.try_emplace(Edge(node, byte), static_cast<uint32_t>(token_at.size()));
      if (fresh) token_at.push_back(-1);
      node = edge->second;
    }
    if (token_at[node] >= 0) return false;
    token_at[node] = static_cast<int32_t>(tokens.size());
    tokens.push_back(token);
    first_bytes.set(static_cast<uint8_t>(token.content.front()));
    return true;
  }

  const AddedToken* LongestAt(std::string_view text) const {
    if (!first_bytes.test(static_cast<uint8_t>(text.front()))) return nullptr;
    const AddedToken* longest = nullptr;
    uint32_t node = 0;
    for (char byte : text) {
      const auto edge = edges.find(Edge(node, byte));
      if (edge == edges.end()) break;
      node = edge->second;
      if (token_at[node] >= 0) longest = &tokens[token_at[node]];
    }
    return longest;
  }
};

AddedTokenMatcher::AddedTokenMatcher(std::unique_ptr<const Trie> trie) : trie_(std::move(trie)) {}
AddedTokenMatcher::AddedTokenMatcher(AddedTokenMatcher&&) noexcept = default;
AddedTokenMatcher::~AddedTokenMatcher() = default;

absl::StatusOr<AddedTokenMatcher> AddedTokenMatcher::Create(std::span<const AddedToken> tokens, bool normalized) {
  auto trie = std::make_unique<Trie>();
  for (const AddedToken& token : tokens) {
    if (token.normalized != normalized) continue;
    if (token.content.empty() || token.content.size() > kMaxAddedTokenBytes) {
      return TokenizerInvalidError("added_tokens", absl::StrCat("the content of id ", token.id, " must have 1 to ",
                                                                kMaxAddedTokenBytes, " bytes, also when normalized"));
    }
    if (!trie->Insert(token)) {
      return TokenizerInvalidError("added_tokens", absl::StrCat("the content of id ", token.id, " occurs twice"));
    }
  }
  return AddedTokenMatcher(std::move(trie));
}

std::vector<AddedTokenMatcher::Piece> AddedTokenMatcher::Cut(std::string_view text) const {
  std::vector<Piece> pieces;
  const auto add = [&](int32_t id, size_t begin, size_t end) {
    if (begin < end) pieces.push_back({id, text.substr(begin, end - begin)});
  };
  size_t done = 0;
  size_t space_end = 0;
  for (size_t at = 0; at < text.size() && !trie_->tokens.empty();) {
    const AddedToken* token = trie_->LongestAt(text.substr(at));
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + token->content.size();
    at = end;
    if (token->single_word && TouchesWord(text.substr(0, begin), text.substr(end))) continue;
    if (token->lstrip) begin = done < begin ? done + TrailingSpaceStart(text.substr(done, begin - done)) : done;
    if (token->rstrip) {
      // Tokens may themselves be white space: each run is walked once.
      if (end >= space_end) space_end = end + LeadingSpace(text.substr(end));
      end = space_end;
    }
    add(-1, done, begin);
    add(token->id, begin, end);
    done = end;
  }
  add(-1, done, text.size());
  return pieces;
}

}  // namespace bitwright::worker
