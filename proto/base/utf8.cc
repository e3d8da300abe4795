#include "proto/base/utf8.h"

#include <cstdint>
#include <cstring>

namespace bitwright {
namespace {

unsigned ByteAt(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

// Length of the well-formed multi-byte character that begins at `at`; 0 when there is none.
size_t CharacterLength(std::string_view text, size_t at) {
  const unsigned first = ByteAt(text, at);
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return 0;
  // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
  const unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  const unsigned second = ByteAt(text, at + 1);
  if (second < lowest || second > highest) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((ByteAt(text, at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const unsigned byte = ByteAt(text, i);
    if (byte < 0x80) {
      const bool space = byte == '\n' || byte == '\r' || byte == '\t';
      shown += space ? ' ' : byte < 0x20 || byte == 0x7f ? '?' : text[i];
      ++i;
      continue;
    }
    const size_t length = CharacterLength(text, i);
    const bool control = length == 2 && byte == 0xc2 && ByteAt(text, i + 1) < 0xa0;
    if (length == 0 || control) {
      shown += '?';
    } else {
      shown += text.substr(i, length);
    }
    i += length == 0 ? 1 : length;
  }
  return shown;
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

size_t ValidUtf8Prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    if (uint64_t word = 0; at + sizeof(word) <= text.size()) {  // most text is ASCII
      std::memcpy(&word, text.data() + at, sizeof(word));
      if ((word & 0x8080808080808080u) == 0) {
        at += sizeof(word);
        continue;
      }
    }
    const size_t length = ByteAt(text, at) < 0x80 ? 1 : CharacterLength(text, at);
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string_view CutUtf8(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (ByteAt(text, most) & 0xc0) == 0x80) --most;
  return text.substr(0, most);
}

}  // namespace bitwright
