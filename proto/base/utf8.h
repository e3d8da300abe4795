#pragma once

#include <string>
#include <string_view>

namespace bitwright {

// `text` as it may stand in a message's string field and on a terminal: bytes that are not well-formed UTF-8 (Unicode
// 15, table 3-7) and control characters become '?', line breaks and tabs a space. Such text comes from hostile files
// and from cutting long names; a protobuf parser refuses a whole message for one bad byte.
std::string Printable(std::string_view text);

}  // namespace bitwright
