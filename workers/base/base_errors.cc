#include "workers/base/base_errors.h"

#include <cerrno>
#include <cstring>

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

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
      full ? Reason::kDiskFull : "FILE_UNWRITABLE",
      "file '" + path + "' cannot be written: " + std::strerror(error) + (full ? "; make room on that disk" : ""),
      {{"file", path}});
}

absl::Status OutOfMemoryError(const std::string& what, int64_t available_bytes) {
  const std::string available = std::to_string(available_bytes);
  return MakeError(
      absl::StatusCode::kResourceExhausted, Reason::kOutOfMemory,
      what + " needs more memory than the " + available + " bytes that it may take here; use a worker with more memory",
      {{"available_bytes", available}});
}

absl::Status DeviceFailedError(const std::string& what, const std::string& failure) {
  return MakeError(absl::StatusCode::kUnavailable, Reason::kDeviceFailed,
                   "the device failed under " + what + ": " + failure + "; see the log of its driver");
}

}  // namespace bitwright::worker
