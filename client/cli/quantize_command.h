#pragma once

#include "absl/status/statusor.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// Commands that make a job. Each opens its session itself, after the checks that need no server.
namespace bitwright::client {

absl::StatusOr<ExitCode> Quantize(const CommandContext& context);
absl::StatusOr<ExitCode> Plan(const CommandContext& context);
absl::StatusOr<ExitCode> JobSubmit(const CommandContext& context);

}  // namespace bitwright::client
