#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

// Errors of the command line itself.
namespace bitwright::client {

absl::Status OutNotEmptyError(const std::string& path);                                           // OUT_NOT_EMPTY
absl::Status OutNotAFolderError(const std::string& path);                                         // OUT_NOT_A_FOLDER
absl::Status DaemonNotFoundError(const std::string& looked_at);                                   // DAEMON_NOT_FOUND
absl::Status DaemonFailedError(std::string_view what, const std::string& last_lines_of_its_log);  // DAEMON_FAILED
absl::Status ModelUnknownError(const std::string& model);                                         // MODEL_NOT_FOUND
absl::Status OptionConflictError(std::string_view what);                                          // OPTION_CONFLICT

}  // namespace bitwright::client
