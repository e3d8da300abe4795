#include "proto/base/json_text.h"

#include "proto/base/utf8.h"

namespace bitwright {

std::string JsonText(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : Printable(text)) {  // which leaves only these two to be escaped
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace bitwright
