#pragma once

#include "absl/status/statusor.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// Commands about contexts (contexts.h). They ask no service. Errors of Contexts; CONTEXTS_NOWHERE: there is no place to
// keep them.
namespace bitwright::client {

absl::StatusOr<ExitCode> ContextList(const CommandContext& context);
// Names a service: that of --server, with the access options that are given. ARGUMENT_INVALID: there is no --server.
absl::StatusOr<ExitCode> ContextSet(const CommandContext& context);
absl::StatusOr<ExitCode> ContextUse(const CommandContext& context);
absl::StatusOr<ExitCode> ContextDelete(const CommandContext& context);

}  // namespace bitwright::client
