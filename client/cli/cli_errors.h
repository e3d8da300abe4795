#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

// Errors of the command line itself.
namespace bitwright::client {

absl::Status OutNotEmpty(const std::string& path);                                           // OUT_NOT_EMPTY
absl::Status OutNotAFolder(const std::string& path);                                         // OUT_NOT_A_FOLDER
absl::Status DaemonNotFound(const std::string& looked_at);                                   // DAEMON_NOT_FOUND
absl::Status DaemonFailed(std::string_view what, const std::string& last_lines_of_its_log);  // DAEMON_FAILED
absl::Status ModelUnknown(const std::string& model);                                         // MODEL_NOT_FOUND
absl::Status OptionConflict(std::string_view what);                                          // OPTION_CONFLICT

}  // namespace bitwright::client
