#pragma once

#include "absl/status/statusor.h"
#include "client/cli/console.h"
#include "client/cli/exit_codes.h"
#include "client/cli/options.h"
#include "client/cli/progress_reporter.h"
#include "client/cli/session.h"

// One function per command. An error status is printed by the caller and becomes the exit code; a job that ended badly
// is a result of its own.
namespace bitwright::client {

struct CommandContext {
  const Options& options;
  const Environment& environment;
  std::shared_ptr<CancelToken> cancel;
  Console& console;
  ProgressReporter& progress;
};

absl::StatusOr<ExitCode> Quantize(const CommandContext& context);  // opens its session after its checks
absl::StatusOr<ExitCode> Plan(const CommandContext& context);      // likewise
absl::StatusOr<ExitCode> JobSubmit(const CommandContext& context);

absl::StatusOr<ExitCode> ModelUpload(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ModelList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ModelShow(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ModelDelete(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobShow(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobWatch(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobCancel(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobReport(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> JobDelete(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> ArtifactDownload(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> RecipeList(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> RecipeShow(const CommandContext& context, Client& client);
absl::StatusOr<ExitCode> WorkerList(const CommandContext& context, Client& client);

}  // namespace bitwright::client
