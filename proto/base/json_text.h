#pragma once

#include <string>
#include <string_view>

namespace bitwright {

// `text` as a JSON string, with its quotes; what is not printable UTF-8 is replaced (utf8.h).
std::string JsonText(std::string_view text);

}  // namespace bitwright
