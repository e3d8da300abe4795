#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "client/api/client.h"
#include "client/cli/command_context.h"
#include "client/cli/exit_codes.h"
#include "client/cli/out_dir.h"

// What several commands do at the end of a job.
namespace bitwright::client {

// Writes the artifact and the report of a SUCCEEDED job to OUT and prints the report. JOB_UNFINISHED when it is not.
absl::StatusOr<ExitCode> Deliver(const CommandContext& context, Client& client, const v1::Job& job, const OutDir& out);

// Follows a job to its end, showing progress.
absl::StatusOr<v1::Job> Follow(const CommandContext& context, Client& client, const std::string& name);

// The exit code of an ended job that did not succeed, after printing why.
ExitCode ReportBadEnd(const CommandContext& context, const v1::Job& job);

}  // namespace bitwright::client
