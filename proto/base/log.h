#pragma once

#include <concepts>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// LOG and CHECK with the names of newer Abseil (absl/log), and fields for programs that read logs:
//   LOG(INFO).With("job", name).With("tasks", 12) << "created";
// One line a message on standard error, as text or as one JSON object:
//   2026-11-24T11:36:00.123456Z I server/main.cc:42] created job=jobs/1 tasks=12
//   {"time":"2026-11-24T11:36:00.123456Z","level":"info","source":"server/main.cc:42","message":"created",
//    "job":"jobs/1","tasks":12}   (without the break)
// A message below the level costs one comparison: neither its text nor its fields are made. CHECK is for our own bugs
// only: it ends the process. Thread-safe; a line is written whole, and text from elsewhere cannot begin another.
namespace bitwright {

enum class LogSeverity { kDebug, kInfo, kWarning, kError, kFatal };
enum class LogFormat { kText, kJson };

// Messages below this are dropped; default kInfo.
void SetMinLogSeverity(LogSeverity severity);
bool LogEnabled(LogSeverity severity);
// Default kText.
void SetLogFormat(LogFormat format);

class LogMessage {
 public:
  LogMessage(LogSeverity severity, const char* file, int line) : severity_(severity), file_(file), line_(line) {}
  ~LogMessage();  // writes the line; ends the process after kFatal
  LogMessage(const LogMessage&) = delete;
  LogMessage& operator=(const LogMessage&) = delete;

  // `key` is a literal in snake_case, and none of time, level, source and message.
  LogMessage& With(const char* key, std::string_view value) { return Add({key, std::string(value), true}); }
  LogMessage& With(const char* key, const char* value) { return With(key, std::string_view(value)); }
  LogMessage& With(const char* key, bool value) { return Add({key, value ? "true" : "false", false}); }
  LogMessage& With(const char* key, double value);  // what JSON has no number for becomes text
  template <std::integral T>
  LogMessage& With(const char* key, T value) {
    return Add({key, std::to_string(value), false});
  }

  // Fields that several messages share: a function from LogMessage& to LogMessage&.
  template <std::invocable<LogMessage&> Fields>
  LogMessage& With(const Fields& fields) {
    return fields(*this);
  }

  template <typename T>
  LogMessage& operator<<(const T& value) {
    text_ << value;
    return *this;
  }

 private:
  struct Field {
    const char* key;
    std::string value;
    bool quoted;
  };

  LogMessage& Add(Field field) {
    fields_.push_back(std::move(field));
    return *this;
  }
  std::string AsText(std::string_view source) const;
  std::string AsJson(std::string_view source) const;

  LogSeverity severity_;
  const char* file_;
  int line_;
  std::ostringstream text_;
  std::vector<Field> fields_;
};

struct LogVoidify {
  void operator&(const LogMessage&) {}
};

}  // namespace bitwright

#define BITWRIGHT_LOG_DEBUG ::bitwright::LogSeverity::kDebug
#define BITWRIGHT_LOG_INFO ::bitwright::LogSeverity::kInfo
#define BITWRIGHT_LOG_WARNING ::bitwright::LogSeverity::kWarning
#define BITWRIGHT_LOG_ERROR ::bitwright::LogSeverity::kError
#define BITWRIGHT_LOG_FATAL ::bitwright::LogSeverity::kFatal

#define LOG(severity)                                \
  !::bitwright::LogEnabled(BITWRIGHT_LOG_##severity) \
      ? (void)0                                      \
      : ::bitwright::LogVoidify() & ::bitwright::LogMessage(BITWRIGHT_LOG_##severity, __FILE__, __LINE__)

#define CHECK(condition)                                                                                     \
  (condition) ? (void)0                                                                                      \
              : ::bitwright::LogVoidify() & ::bitwright::LogMessage(BITWRIGHT_LOG_FATAL, __FILE__, __LINE__) \
                                                << "CHECK failed: " #condition " "
