#include "workers/tokenizer/charsmap.h"

#include "absl/strings/str_cat.h"
#include "proto/base/utf8.h"

namespace bitwright::worker {
namespace {

constexpr size_t kWord = 4;

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t value = 0;
  for (size_t i = kWord; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

bool EndsKey(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t OffsetOf(uint32_t unit) { return (unit >> 10) << ((unit & 1U << 9) >> 6); }
uint32_t LabelOf(uint32_t unit) { return unit & (1U << 31 | 0xFF); }  // the top bit is set in values alone
uint32_t ValueOf(uint32_t unit) { return unit & ~(1U << 31); }

}  // namespace

absl::StatusOr<Charsmap> Charsmap::Create(std::string_view bytes,
                                          absl::FunctionRef<absl::Status(const std::string&)> invalid) {
  if (bytes.size() < kWord) return invalid("is shorter than its first number");
  const uint32_t trie_bytes = LittleEndian(bytes);
  bytes.remove_prefix(kWord);
  if (trie_bytes > bytes.size() || trie_bytes % kWord != 0 || trie_bytes == 0) {
    return invalid(absl::StrCat("has ", bytes.size(), " bytes for a table of ", trie_bytes));
  }
  Charsmap map;
  map.units_.reserve(trie_bytes / kWord);
  for (size_t at = 0; at < trie_bytes; at += kWord) map.units_.push_back(LittleEndian(bytes.substr(at)));
  map.replacements_ = bytes.substr(trie_bytes);
  if (ValidUtf8Prefix(map.replacements_) != map.replacements_.size()) {
    return invalid("has replacements that are not UTF-8");
  }
  return map;
}

Charsmap::Match Charsmap::Walk(std::string_view text, bool longest) const {
  Match found;
  uint32_t node = OffsetOf(units_[0]);
  for (size_t length = 1; length <= text.size(); ++length) {
    const auto byte = static_cast<uint8_t>(text[length - 1]);
    node ^= byte;
    if (byte == 0 || node >= units_.size() || LabelOf(units_[node]) != byte) break;
    const uint32_t unit = units_[node];
    node ^= OffsetOf(unit);
    if (!EndsKey(unit)) continue;
    if (node >= units_.size()) break;
    const size_t offset = ValueOf(units_[node]);
    const std::string_view replacements(replacements_);
    // Into the middle of a character: broken.
    if (offset >= replacements.size() || (static_cast<uint8_t>(replacements[offset]) & 0xC0) == 0x80) break;
    const std::string_view rest = replacements.substr(offset);
    found = {length, rest.substr(0, rest.find('\0'))};
    if (!longest) break;
  }
  return found;
}

Charsmap::Match Charsmap::Longest(std::string_view text) const { return Walk(text, true); }
Charsmap::Match Charsmap::Shortest(std::string_view text) const { return Walk(text, false); }

}  // namespace bitwright::worker
