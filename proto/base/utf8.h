#pragma once

#include <string>
#include <string_view>

namespace bitwright {

// `text` in a form that a message's string field and a terminal can take: bytes that are not well-formed UTF-8 (Unicode
// 15, table 3-7) and control characters become '?', line breaks and tabs a space. Such text comes from hostile files
// and from cutting long names; a protobuf parser refuses a whole message for one bad byte.
std::string Printable(std::string_view text);

}  // namespace bitwright
