#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

namespace bitwright::client {

absl::StatusOr<ExitCode> WorkerList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> WorkerCordon(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> WorkerUncordon(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> WorkerDrain(const CommandContext& context, Client& client);

}  // namespace bitwright::client
