#include "client/cli/worker_commands.h"

#include "client/cli/resource_text.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

absl::StatusOr<ExitCode> WorkerList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const auto workers, client.ListWorkers());
  v1::ListWorkersResponse all;
  all.mutable_workers()->Add(workers.begin(), workers.end());
  context.console.Result(WorkerTable(workers), all);
  return ExitCode::kOk;
}

}  // namespace bitwright::client
