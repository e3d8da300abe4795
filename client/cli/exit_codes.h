#pragma once

#include "absl/status/status.h"

namespace bitwright::client {

// What the process `bitwright` ends with; kExitCodeHelp says the same to a person.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,         // a job failed, or an error that is none of the following
  kUsage = 2,          // arguments or input that must be changed, also when a job finds it
  kUnreachable = 3,    // no server answers
  kNotFound = 4,       // a resource or a recipe; a file that is not there is 2
  kCancelled = 5,      // the job was cancelled by somebody
  kDenied = 6,         // the server does not know who is calling, or that one may not
  kInterrupted = 130,  // Ctrl-C or a signal to end (as shells report SIGINT)
};

inline constexpr char kExitCodeHelp[] =
    "Exit codes: 0 ok, 1 job failed or other error, 2 wrong arguments or input, 3 server unreachable,\n"
    "4 not found, 5 job cancelled, 6 access denied, 130 interrupted.";

// By the kind of the error alone.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace bitwright::client
