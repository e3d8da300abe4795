#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// What operators see and set of tenants.
namespace bitwright::client {

absl::StatusOr<ExitCode> TenantList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> TenantShow(const CommandContext& context, Client& client);
// Limits that the command line does not name stay as they are.
absl::StatusOr<ExitCode> TenantLimit(const CommandContext& context, Client& client);

}  // namespace bitwright::client
