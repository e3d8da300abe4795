#include "client/cli/console.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "client/api/json.h"
#include "proto/base/errors.h"

namespace bitwright::client {
namespace {

std::string WithNewline(std::string_view text) {
  std::string line(text);
  if (line.empty() || line.back() != '\n') line += '\n';
  return line;
}

// Messages may quote names from elsewhere: keep line ends, drop what steers a terminal.
std::string ForTerminal(std::string_view text) {
  std::string shown(text);
  for (char& c : shown) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f) c = '?';
  }
  return shown;
}

}  // namespace

void Console::Result(std::string_view text, std::string_view json) {
  out_ << WithNewline(style_.json ? json : text) << std::flush;
}

void Console::Result(std::string_view text, const google::protobuf::Message& message) {
  Result(text, style_.json ? ToJson(message) : std::string());
}

void Console::Print(std::string_view text) { out_ << text << std::flush; }

void Console::Line(const google::protobuf::Message& message) {
  lines_ = true;
  out_ << nlohmann::ordered_json::parse(ToJson(message)).dump() << '\n' << std::flush;
}

void Console::Warning(std::string_view line) {
  err_ << (style_.color ? "\033[1;33mwarning:\033[0m " : "warning: ") << WithNewline(ForTerminal(line)) << std::flush;
}

void Console::Note(std::string_view line) {
  if (!style_.quiet) err_ << WithNewline(ForTerminal(line)) << std::flush;
}

void Console::Error(const absl::Status& status) {
  const std::string message(status.message());
  const std::string reason = ErrorReason(status);
  err_ << (style_.color ? "\033[1;31merror:\033[0m " : "error: ") << ForTerminal(message)
       << (reason.empty() ? "" : " [" + reason + "]") << '\n'
       << std::flush;
  if (!style_.json) return;
  nlohmann::ordered_json error;
  error["code"] = absl::StatusCodeToString(status.code());
  error["reason"] = reason;
  error["message"] = message;
  const auto detail = GetErrorDetail(status);
  error["metadata"] = detail ? nlohmann::ordered_json(detail->metadata) : nlohmann::ordered_json::object();
  const nlohmann::ordered_json whole = {{"error", error}};
  out_ << whole.dump(lines_ ? -1 : 1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n'
       << std::flush;
}

}  // namespace bitwright::client
