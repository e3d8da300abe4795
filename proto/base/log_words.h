#pragma once

#include <map>
#include <string>

#include "proto/base/log.h"

namespace bitwright {

// The words of --log-level and --log-format, for the parser of a command line.
inline std::map<std::string, LogSeverity> LogLevels() {
  return {{"debug", LogSeverity::kDebug},
          {"info", LogSeverity::kInfo},
          {"warning", LogSeverity::kWarning},
          {"error", LogSeverity::kError}};
}
inline std::map<std::string, LogFormat> LogFormats() {
  return {{"text", LogFormat::kText}, {"json", LogFormat::kJson}};
}

// The word of a value of one of these maps.
template <typename Value>
std::string WordOf(const std::map<std::string, Value>& words, Value value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) return word;
  }
  return "";
}

}  // namespace bitwright
