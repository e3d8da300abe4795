#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace google::protobuf {
class Message;
}

namespace bitwright::client {

// Where a command's output goes: results to `out`, everything else to `err`. Not thread-safe.
class Console {
 public:
  struct Style {
    bool json = false;   // results as JSON
    bool quiet = false;  // no notes
    bool color = false;
  };
  // The streams must outlive the console.
  Console(std::ostream& out, std::ostream& err, Style style) : out_(out), err_(err), style_(style) {}

  const Style& style() const { return style_; }
  std::ostream& err() { return err_; }
  // The result: text for a person, or the JSON text with --json.
  void Result(std::string_view text, std::string_view json);
  void Result(std::string_view text, const google::protobuf::Message& message);
  void Print(std::string_view text);  // as it is
  // One JSON object on a line of its own, for streams; errors are then lines, too.
  void Line(const google::protobuf::Message& message);
  void Note(std::string_view line);     // not when quiet
  void Warning(std::string_view line);  // "warning: …", also when quiet
  // "error: …" with the stable reason on `err`; with --json also {"error": {code, reason, message, metadata}} on `out`.
  void Error(const absl::Status& status);

 private:
  std::ostream& out_;
  std::ostream& err_;
  const Style style_;
  bool lines_ = false;
};

}  // namespace bitwright::client
