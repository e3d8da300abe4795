#pragma once

#include <string>
#include <string_view>

namespace bitwright {

// `text` in a form that a message's string field and a terminal can take: bytes that are not well-formed UTF-8 (Unicode
// 15, table 3-7) and control characters become '?', line breaks and tabs a space. Such text comes from hostile files
// and from cutting long names; a protobuf parser refuses a whole message for one bad byte.
std::string Printable(std::string_view text);

// What some editors put at the start of UTF-8 text; it is no part of it.
inline constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
std::string_view WithoutByteOrderMark(std::string_view text);

// Length of the longest beginning of `text` that is well-formed UTF-8; text.size() when all of it is.
size_t ValidUtf8Prefix(std::string_view text);

// The longest beginning of well-formed `text` that ends between two characters and has at most `most` bytes.
std::string_view CutUtf8(std::string_view text, size_t most);

}  // namespace bitwright
