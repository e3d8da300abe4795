#include "workers/tokenizer/sentencepiece_normalizer.h"

#include <utility>

#include "proto/base/status_macros.h"
#include "workers/tokenizer/byte_trie.h"
#include "workers/tokenizer/unicode.h"

namespace bitwright::worker {

SentencePieceNormalizer::SentencePieceNormalizer(SentencePieceRules rules) : rules_(std::move(rules)) {
  auto trie = std::make_shared<ByteTrie>();
  for (const std::string& piece : rules_.kept) trie->Insert(piece, 0);
  kept_ = std::move(trie);
}

SentencePieceNormalizer::Prefix SentencePieceNormalizer::NextOf(std::string_view text) const {
  size_t kept = 0;
  ByteTrie::Node node = ByteTrie::kRoot;
  for (size_t length = 1; length <= text.size(); ++length) {
    const auto next = kept_->Step(node, text[length - 1]);
    if (!next) break;
    node = *next;
    if (kept_->ValueAt(node) != ByteTrie::kNone) kept = length;
  }
  if (kept > 0) return {text.substr(0, kept), kept};
  const size_t character = CodePointBytes(text.front());
  if (rules_.charsmap == nullptr) return {text.substr(0, character), character};
  const Charsmap::Match match = rules_.charsmap->Longest(text);
  // A key that ends inside a character would leave half of it: the table is broken there, and says nothing.
  const bool whole = match.length == text.size() || (match.length < text.size() && match.length > 0 &&
                                                     (static_cast<uint8_t>(text[match.length]) & 0xC0) != 0x80);
  if (!whole) return {text.substr(0, character), character};
  return {match.replacement, match.length};
}

absl::StatusOr<std::string> SentencePieceNormalizer::Apply(std::string_view text, const PatternBudget& budget) const {
  const std::string_view space = rules_.escape_whitespaces ? kSpaceSymbol : " ";
  const bool squeeze = rules_.remove_extra_whitespaces;
  while (squeeze && !text.empty()) {
    const Prefix prefix = NextOf(text);
    if (prefix.becomes != " ") break;
    text.remove_prefix(prefix.length);
  }
  std::string out;
  if (text.empty()) return out;
  out.reserve(text.size() + text.size() / 2);
  if (rules_.add_dummy_prefix) out += space;
  bool after_space = squeeze;
  while (!text.empty()) {
    const auto [becomes, length] = NextOf(text);
    text.remove_prefix(length);
    std::string_view rest = becomes;
    while (after_space && rest.starts_with(' ')) rest.remove_prefix(1);
    for (char byte : rest) byte == ' ' ? out += space : out += byte;
    if (!rest.empty()) after_space = squeeze && rest.ends_with(' ');
    ABSL_RETURN_IF_ERROR(budget.CheckNormalized(static_cast<int64_t>(out.size())));
  }
  while (squeeze && out.ends_with(space)) out.resize(out.size() - space.size());
  return out;
}

}  // namespace bitwright::worker
