#pragma once

#include "absl/status/statusor.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

namespace bitwright::client {

// From MODEL to OUT: checks, uploads, runs one job, delivers each of its outcomes. Opens its session itself, after
// the checks that need no server. The result of a service of our own that could not be delivered is kept, and the same
// command delivers it later (kept_results.h).
absl::StatusOr<ExitCode> Quantize(const CommandContext& context);

}  // namespace bitwright::client
