#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// What operators do with tasks and with what is kept of them.
namespace bitwright::client {

absl::StatusOr<ExitCode> TaskRequeue(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> CacheShow(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> CacheDrop(const CommandContext& context, Client& client);

}  // namespace bitwright::client
