#include "proto/base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "proto/base/json_text.h"
#include "proto/base/utf8.h"

namespace bitwright {
namespace {

std::atomic<LogSeverity> min_severity{LogSeverity::kInfo};
std::atomic<LogFormat> log_format{LogFormat::kText};

std::string Timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::time_t seconds = micros / 1000000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                tm.tm_hour, tm.tm_min, tm.tm_sec, static_cast<int>(micros % 1000000));
  return text;
}

// From the root of the sources on.
std::string Source(std::string_view path, int line) {
  std::string_view shown = path;
  for (const std::string_view root : {"server/", "workers/", "client/", "proto/", "tests/"}) {
    if (const auto at = path.rfind(root); at != std::string_view::npos && path.size() - at < shown.size()) {
      shown = path.substr(at);
    }
  }
  return std::string(shown) + ':' + std::to_string(line);
}

std::string Value(std::string_view value) {
  const bool plain = !value.empty() && value.find_first_of(" =\"\\") == std::string_view::npos;
  std::string printable = Printable(value);
  return plain && printable == value ? printable : JsonText(value);
}

}  // namespace

void SetMinLogSeverity(LogSeverity severity) { min_severity = severity; }
bool LogEnabled(LogSeverity severity) { return severity >= min_severity.load(std::memory_order_relaxed); }
void SetLogFormat(LogFormat format) { log_format = format; }

LogMessage& LogMessage::With(const char* key, double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.9g", value);
  return Add({key, text, !std::isfinite(value)});
}

std::string LogMessage::AsText(std::string_view source) const {
  std::string line = Timestamp();
  line += ' ';
  line += "DIWEF"[static_cast<int>(severity_)];
  line += ' ';
  line += source;
  line += "] " + Printable(text_.str());
  for (const Field& field : fields_) line += ' ' + std::string(field.key) + '=' + Value(field.value);
  return line + '\n';
}

std::string LogMessage::AsJson(std::string_view source) const {
  constexpr const char* kLevels[] = {"debug", "info", "warning", "error", "fatal"};
  std::string line = "{\"time\":\"" + Timestamp() + "\",\"level\":\"" + kLevels[static_cast<int>(severity_)] +
                     "\",\"source\":" + JsonText(source) + ",\"message\":" + JsonText(text_.str());
  for (const Field& field : fields_) {
    line += ",\"" + std::string(field.key) + "\":" + (field.quoted ? JsonText(field.value) : field.value);
  }
  return line + "}\n";
}

LogMessage::~LogMessage() {
  const std::string source = Source(file_, line_);
  const std::string line =
      log_format.load(std::memory_order_relaxed) == LogFormat::kJson ? AsJson(source) : AsText(source);
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  if (severity_ == LogSeverity::kFatal) std::abort();
}

}  // namespace bitwright
