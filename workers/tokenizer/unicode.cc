#include "workers/tokenizer/unicode.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "proto/base/utf8.h"

namespace bitwright::worker {

std::string ReplaceInvalidUtf8(std::string_view bytes) {
  if (ValidUtf8Prefix(bytes) == bytes.size()) return std::string(bytes);
  std::string out;
  out.reserve(bytes.size());
  const auto size = static_cast<int64_t>(bytes.size());
  for (int64_t at = 0; at < size;) {
    UChar32 code_point = 0;
    U8_NEXT_OR_FFFD(bytes.data(), at, size, code_point);
    AppendCodePoint(code_point, out);
  }
  return out;
}

void AppendCodePoint(int32_t code_point, std::string& out) {
  char buffer[U8_MAX_LENGTH];
  int32_t length = 0;
  U8_APPEND_UNSAFE(buffer, length, code_point);
  out.append(buffer, length);
}

int32_t FirstCodePoint(std::string_view text) {
  int64_t at = 0;
  UChar32 code_point = 0;
  U8_NEXT(text.data(), at, static_cast<int64_t>(text.size()), code_point);
  return code_point;
}

int32_t LastCodePoint(std::string_view text) {
  auto at = static_cast<int32_t>(text.size());
  UChar32 code_point = 0;
  U8_PREV(text.data(), 0, at, code_point);
  return code_point;
}

int CodePointBytes(char lead) { return U8_COUNT_TRAIL_BYTES(static_cast<uint8_t>(lead)) + 1; }

bool IsUnicodeSpace(int32_t code_point) { return u_hasBinaryProperty(code_point, UCHAR_WHITE_SPACE); }

size_t LeadingSpace(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && IsUnicodeSpace(FirstCodePoint(text.substr(at)))) at += CodePointBytes(text[at]);
  return at;
}

size_t TrailingSpaceStart(std::string_view text) {
  while (!text.empty() && IsUnicodeSpace(LastCodePoint(text))) {
    do {
      text.remove_suffix(1);
    } while (!text.empty() && (static_cast<uint8_t>(text.data()[text.size()]) & 0xC0) == 0x80);
  }
  return text.size();
}

bool IsUnicodeWord(int32_t code_point) {
  constexpr uint32_t kMarksDigitsConnectors = U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK;
  return u_hasBinaryProperty(code_point, UCHAR_ALPHABETIC) ||
         (U_GET_GC_MASK(code_point) & kMarksDigitsConnectors) != 0 ||
         u_hasBinaryProperty(code_point, UCHAR_JOIN_CONTROL);
}

}  // namespace bitwright::worker
