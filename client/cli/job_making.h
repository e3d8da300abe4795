#pragma once

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"
#include "client/cli/job_draft.h"

// Commands that make jobs on a server, and their steps.
namespace bitwright::client {

absl::StatusOr<ExitCode> Plan(const CommandContext& context);
absl::StatusOr<ExitCode> JobSubmit(const CommandContext& context);
absl::StatusOr<ExitCode> JobClone(const CommandContext& context, Client& client);

// How much lies beside the model and is not uploaded; which files, when verbose.
void TellIgnored(const CommandContext& context, const JobDraft& draft);

// What this server would refuse is refused first; then model and texts are hashed and uploaded.
absl::StatusOr<v1::Model> SendDraft(const CommandContext& context, Client& client, JobDraft& draft);

// Creates a job. Says so when its recipe travels under another name than the file gives.
absl::StatusOr<v1::Job> MakeJob(const CommandContext& context, Client& client, const v1::JobSpec& spec);

}  // namespace bitwright::client
