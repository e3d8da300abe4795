#include "workers/tokenizer/added_tokens.h"

#include <bitset>

#include "absl/strings/str_cat.h"
#include "proto/base/status_macros.h"
#include "workers/tokenizer/byte_trie.h"
#include "workers/tokenizer/tokenizer_errors.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {
namespace {

bool TouchesWord(std::string_view before, std::string_view after) {
  return (!before.empty() && IsUnicodeWord(LastCodePoint(before))) ||
         (!after.empty() && IsUnicodeWord(FirstCodePoint(after)));
}

}  // namespace

struct AddedTokenMatcher::Trie {
  ByteTrie contents;  // of each: index into tokens
  std::vector<AddedToken> tokens;
  std::bitset<256> first_bytes;

  bool Insert(const AddedToken& token) {
    if (!contents.Insert(token.content, static_cast<int32_t>(tokens.size()))) return false;
    tokens.push_back(token);
    first_bytes.set(static_cast<uint8_t>(token.content.front()));
    return true;
  }

  const AddedToken* LongestAt(std::string_view text) const {
    if (!first_bytes.test(static_cast<uint8_t>(text.front()))) return nullptr;
    int32_t longest = ByteTrie::kNone;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (char byte : text) {
      const auto next = contents.Step(node, byte);
      if (!next) break;
      node = *next;
      if (contents.ValueAt(node) != ByteTrie::kNone) longest = contents.ValueAt(node);
    }
    return longest == ByteTrie::kNone ? nullptr : &tokens[longest];
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
