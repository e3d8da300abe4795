#include "workers/tokenizer/text_lines.h"

#include <algorithm>

namespace bitwright::worker {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

bool TextLines::Next() {
  while (!rest_.empty()) {
    const size_t newline = std::min(rest_.find('\n'), rest_.size());
    line_ = Trimmed(rest_.substr(0, newline));
    rest_.remove_prefix(std::min(newline + 1, rest_.size()));
    ++number_;
    if (!line_.empty()) return true;
  }
  return false;
}

}  // namespace bitwright::worker
