#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"

// Commands about jobs that the server has: one function each, on an open session.
namespace bitwright::client {

absl::StatusOr<ExitCode> JobList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobShow(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobWatch(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobCancel(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobReport(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobRetry(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobTasks(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobDelete(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ArtifactDownload(const CommandContext& context, Client& client);

}  // namespace bitwright::client
