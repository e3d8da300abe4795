#include "workers/base/base_errors.h"

#include <cerrno>
#include <cstring>

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status FileUnreadableError(const std::string& path, int error) {
  const auto code = error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable;
  return MakeError(code, "FILE_UNREADABLE", "file '" + path + "' cannot be read: " + std::strerror(error),
                   {{"file", path}});
}

absl::Status FileUnwritableError(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(
      full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable,
      full ? "DISK_FULL" : "FILE_UNWRITABLE",
      "file '" + path + "' cannot be written: " + std::strerror(error) + (full ? "; make room on that disk" : ""),
      {{"file", path}});
}

}  // namespace bitwright::worker
