#include "workers/tokenizer/vocabulary.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEF";

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return std::nullopt;
}

}  // namespace

std::string ByteTokenOf(uint8_t byte) { return {'<', '0', 'x', kDigits[byte >> 4], kDigits[byte & 15], '>'}; }

std::optional<uint8_t> ByteOfToken(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) return std::nullopt;
  const auto high = HexDigit(token[3]);
  const auto low = HexDigit(token[4]);
  if (!high || !low) return std::nullopt;
  return static_cast<uint8_t>(*high << 4 | *low);
}

absl::StatusOr<Vocabulary> Vocabulary::Create(std::vector<Entry> entries) {
  Vocabulary result;
  int32_t largest = -1;
  for (const auto& [token, id] : entries) largest = std::max(largest, id);
  result.tokens_.resize(largest + 1);
  std::vector<bool> taken(largest + 1);
  result.ids_.reserve(entries.size());
  for (auto& [token, id] : entries) {
    const std::string field = absl::StrCat("model.vocab[\"", token, "\"]");
    if (taken[id]) return TokenizerInvalidError(field, absl::StrCat("another token has the id ", id, " too"));
    taken[id] = true;
    result.tokens_[id] = std::move(token);
    if (!result.ids_.emplace(result.tokens_[id], id).second) {
      return TokenizerInvalidError(field, "the token occurs twice");
    }
  }
  for (int byte = 0; byte < 256; ++byte) {
    result.byte_tokens_[byte] = result.IdOf(ByteTokenOf(static_cast<uint8_t>(byte))).value_or(-1);
  }
  return result;
}

std::optional<int32_t> Vocabulary::IdOf(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional<int32_t>(found->second);
}

bool Vocabulary::Has(int64_t id) const {
  if (id < 0 || id >= static_cast<int64_t>(tokens_.size())) return false;
  return !tokens_[id].empty() || IdOf("") == static_cast<int32_t>(id);
}

bool Vocabulary::AppendByteTokens(std::string_view text, std::vector<int32_t>& ids) const {
  const size_t before = ids.size();
  for (char byte : text) {
    const int32_t id = byte_tokens_[static_cast<uint8_t>(byte)];
    if (id < 0) {
      ids.resize(before);
      return false;
    }
    ids.push_back(id);
  }
  return true;
}

}  // namespace bitwright::worker
