#include "workers/tokenizer/ids_lines.h"

#include <charconv>
#include <string>
#include <vector>

#include "proto/base/status_macros.h"
#include "workers/tokenizer/text_lines.h"
#include "workers/tokenizer/tokenizer_errors.h"

namespace bitwright::worker {
namespace {

// "[1, 2, 3]" appended to ids; the error is empty or says what is wrong.
std::string ParseLine(std::string_view line, std::vector<int32_t>& ids) {
  if (line.size() < 2 || line.front() != '[' || line.back() != ']') return "is not a JSON array";
  line = line.substr(1, line.size() - 2);
  while (true) {
    const size_t comma = std::min(line.find(','), line.size());
    const std::string_view item = Trimmed(line.substr(0, comma));
    int32_t id = -1;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), id);
    if (error != std::errc() || end != item.data() + item.size() || id < 0) {
      return "holds '" + std::string(item.substr(0, 40)) + "' where a token id (0 to 2147483647) is expected";
    }
    ids.push_back(id);
    if (comma == line.size()) return "";
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

absl::Status ParseIdLines(std::string_view text, int64_t window,
                          absl::FunctionRef<absl::Status(std::span<const int32_t> ids)> sink) {
  std::vector<int32_t> ids;
  bool any = false;
  TextLines lines(text);
  while (lines.Next()) {
    ids.clear();
    if (const std::string why = ParseLine(lines.line(), ids); !why.empty())
      return IdLineInvalidError(lines.number(), why);
    const int64_t count = static_cast<int64_t>(ids.size());
    if (count != window) {
      return IdLineInvalidError(lines.number(),
                                "has " + std::to_string(count) + " ids; the window is " + std::to_string(window));
    }
    ABSL_RETURN_IF_ERROR(sink(ids));
    any = true;
  }
  return any ? absl::OkStatus() : IdLineInvalidError(1, "and all others are empty");
}

}  // namespace bitwright::worker
