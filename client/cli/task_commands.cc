#include "client/cli/task_commands.h"

#include "client/cli/find_resource.h"
#include "client/cli/task_text.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {

absl::StatusOr<ExitCode> TaskRequeue(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Task task, client.RequeueTask(FullName(Collection::kTasks, context.options.name)));
  context.console.Result(task.name() + " was taken from its worker and runs again", task);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> CacheShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::CacheEntry entry, client.GetCacheEntry(context.options.name, context.options.tenant));
  context.console.Result(CacheEntryText(entry), entry);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> CacheDrop(const CommandContext& context, Client& client) {
  ABSL_RETURN_IF_ERROR(client.DeleteCacheEntry(context.options.name, context.options.tenant));
  context.console.Result("dropped " + context.options.name, v1::DeleteCacheEntryResponse());
  return ExitCode::kOk;
}

}  // namespace bitwright::client
