#pragma once

#include <sstream>
#include <string>
#include <string_view>

// LOG and CHECK with the names of newer Abseil (absl/log). One line a message on standard error:
//   2026-11-24T11:36:00.123456Z I server/app/main.cc:42] text
// CHECK is for our own bugs only: it ends the process. Thread-safe; a line is written whole.
namespace bitwright {

enum class LogSeverity { kInfo, kWarning, kError, kFatal };

// Messages below this are dropped; default kInfo.
void SetMinLogSeverity(LogSeverity severity);
bool LogEnabled(LogSeverity severity);

class LogMessage {
 public:
  LogMessage(LogSeverity severity, const char* file, int line);
  ~LogMessage();  // writes the line; ends the process after kFatal
  LogMessage(const LogMessage&) = delete;
  LogMessage& operator=(const LogMessage&) = delete;
  std::ostream& stream() { return stream_; }

 private:
  LogSeverity severity_;
  const char* file_;
  int line_;
  std::ostringstream stream_;
};

struct LogVoidify {
  void operator&(std::ostream&) {}
};

}  // namespace bitwright

#define BITWRIGHT_LOG_INFO ::bitwright::LogSeverity::kInfo
#define BITWRIGHT_LOG_WARNING ::bitwright::LogSeverity::kWarning
#define BITWRIGHT_LOG_ERROR ::bitwright::LogSeverity::kError
#define BITWRIGHT_LOG_FATAL ::bitwright::LogSeverity::kFatal

#define LOG(severity)                                \
  !::bitwright::LogEnabled(BITWRIGHT_LOG_##severity) \
      ? (void)0                                      \
      : ::bitwright::LogVoidify() & ::bitwright::LogMessage(BITWRIGHT_LOG_##severity, __FILE__, __LINE__).stream()

#define CHECK(condition)                                                                                              \
  (condition) ? (void)0                                                                                               \
              : ::bitwright::LogVoidify() & ::bitwright::LogMessage(BITWRIGHT_LOG_FATAL, __FILE__, __LINE__).stream() \
                                                << "CHECK failed: " #condition " "
