#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

struct Token {
  enum class Kind {
    kText,
    kOutputBegin,
    kOutputEnd,
    kBlockBegin,
    kBlockEnd,
    kName,
    kString,
    kInteger,
    kFloat,
    kOperator
  };
  Kind kind;
  std::string text;  // of a string: what it means, escapes resolved
  int line = 1;
};

// Cuts a template into tokens, as Jinja 3 does with trim_blocks and lstrip_blocks (which is how transformers sets it
// up): the line break after a block tag goes, and so does white space between the start of a line and a block tag;
// comments go altogether. CHAT_TEMPLATE_INVALID.
absl::StatusOr<std::vector<Token>> CutTemplate(std::string_view source);

}  // namespace bitwright::worker
