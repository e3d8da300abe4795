#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// Commands about the recipes that the server ships: one function each, on an open session.
namespace bitwright::client {

absl::StatusOr<ExitCode> RecipeList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> RecipeShow(const CommandContext& context, Client& client);

}  // namespace bitwright::client
