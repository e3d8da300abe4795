#include "proto/base/log.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace bitwright {
namespace {

std::atomic<LogSeverity> min_severity{LogSeverity::kInfo};

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

}  // namespace

void SetMinLogSeverity(LogSeverity severity) { min_severity = severity; }

bool LogEnabled(LogSeverity severity) { return severity >= min_severity.load(std::memory_order_relaxed); }

LogMessage::LogMessage(LogSeverity severity, const char* file, int line)
    : severity_(severity), file_(file), line_(line) {}

LogMessage::~LogMessage() {
  const std::string_view path(file_);
  std::string_view shown = path;
  for (const std::string_view root : {"server/", "workers/", "client/", "proto/", "tests/"}) {
    if (const auto at = path.rfind(root); at != std::string_view::npos && path.size() - at < shown.size()) {
      shown = path.substr(at);
    }
  }
  std::string line = Timestamp();
  line += ' ';
  line += "IWEF"[static_cast<int>(severity_)];
  line += ' ';
  line += shown;
  line += ':' + std::to_string(line_) + "] " + stream_.str() + '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  if (severity_ == LogSeverity::kFatal) std::abort();
}

}  // namespace bitwright
