#include "client/cli/cli_errors.h"

#include "absl/strings/str_cat.h"
#include "proto/base/errors.h"

namespace bitwright::client {

absl::Status OutNotEmptyError(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument, "OUT_NOT_EMPTY",
                   absl::StrCat("'", path,
                                "' exists and is not empty; name another folder, or give --force to replace "
                                "its model/, report.json and report.txt"),
                   {{"out", path}});
}

absl::Status OutNotAFolderError(const std::string& path) {
  return MakeError(absl::StatusCode::kInvalidArgument, "OUT_NOT_A_FOLDER",
                   absl::StrCat("'", path, "' is not a folder; name a folder that is new or empty"), {{"out", path}});
}

absl::Status DaemonNotFoundError(const std::string& looked_at) {
  return MakeError(absl::StatusCode::kFailedPrecondition, "DAEMON_NOT_FOUND",
                   absl::StrCat("bitwrightd was not found (", looked_at,
                                "); set BITWRIGHTD to its path, or name a running service with --server HOST:PORT"));
}

absl::Status DaemonFailedError(std::string_view what, const std::string& last_lines_of_its_log) {
  return MakeError(absl::StatusCode::kInternal, "DAEMON_FAILED",
                   absl::StrCat("the local bitwrightd ", std::string(what),
                                last_lines_of_its_log.empty() ? "" : "; the end of its log:\n", last_lines_of_its_log));
}

absl::Status ModelUnknownError(const std::string& model) {
  return MakeError(absl::StatusCode::kNotFound, "MODEL_NOT_FOUND",
                   absl::StrCat("'", model,
                                "' is neither a folder here nor a model's name; give a model folder, or "
                                "models/ID as `bitwright model list` shows it"),
                   {{"model", model}});
}

absl::Status OptionConflictError(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "OPTION_CONFLICT", what);
}

}  // namespace bitwright::client
