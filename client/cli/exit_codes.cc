#include "client/cli/exit_codes.h"

#include "proto/base/errors.h"
#include "proto/contract/reasons.h"

namespace bitwright::client {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return ExitCode::kOk;
    case absl::StatusCode::kInvalidArgument:
      return ExitCode::kUsage;
    case absl::StatusCode::kUnavailable:
      return ExitCode::kUnreachable;
    case absl::StatusCode::kNotFound:
      return ExitCode::kNotFound;
    case absl::StatusCode::kCancelled:
      return ErrorReason(status) == Reason::kInterrupted ? ExitCode::kInterrupted : ExitCode::kCancelled;
    default:
      return ExitCode::kFailed;
  }
}

}  // namespace bitwright::client
