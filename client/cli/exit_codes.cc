#include "client/cli/exit_codes.h"

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::client {

ExitCode ExitCodeOf(const absl::Status& status) {
  // One kind of error is one code, however it came about: input that cannot be read is not a thing that is not there.
  if (ErrorReason(status) == "FILE_UNREADABLE") return ExitCode::kUsage;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return ExitCode::kDenied;
    case absl::StatusCode::kCancelled:
      return ErrorReason(status) == Reason::kInterrupted ? ExitCode::kInterrupted : ExitCode::kCancelled;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace bitwright::client
