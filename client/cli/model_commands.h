#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// Commands about models: one function each, on an open session.
namespace bitwright::client {

absl::StatusOr<ExitCode> ModelUpload(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ModelList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ModelShow(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ModelDelete(const CommandContext& context, Client& client);

}  // namespace bitwright::client
