#pragma once

#include <memory>

#include "client/cli/console.h"
#include "client/cli/options.h"
#include "client/cli/progress_reporter.h"
#include "proto/base/cancel_token.h"

namespace bitwright::client {

// What every command is given. A command returns its exit code when it came to a result, though a bad one, such as the
// failure of a job; an error status is printed by the caller and becomes the exit code.
struct CommandContext {
  const Options& options;
  const Environment& environment;
  std::shared_ptr<CancelToken> cancel;
  Console& console;
  ProgressReporter& progress;
};

}  // namespace bitwright::client
