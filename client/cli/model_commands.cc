#include "client/cli/model_commands.h"

#include <cerrno>

#include "client/api/client_errors.h"
#include "client/cli/deliver.h"
#include "client/cli/find_resource.h"
#include "client/cli/job_making.h"
#include "client/cli/preflight.h"
#include "client/cli/resource_text.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

absl::StatusOr<ExitCode> ModelUpload(const CommandContext& context, Client& client) {
  JobDraft draft;
  ABSL_RETURN_IF_ERROR(DraftModel(context.options, context.environment, draft));
  if (!draft.model.has_value()) return FileUnreadableError(context.options.job.model, ENOENT);
  TellIgnored(context, draft);
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, SendDraft(context, client, draft));
  context.progress.Finish();
  context.console.Result(model.name(), model);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ModelList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const auto models, client.ListModels(context.options.most, context.options.filter));
  v1::ListModelsResponse all;
  all.mutable_models()->Add(models.begin(), models.end());
  context.console.Result(ModelTable(models), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ModelShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, FindModel(client, context.options.name));
  context.console.Result(ModelText(model), model);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ModelDelete(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, FindModel(client, context.options.name));
  ABSL_RETURN_IF_ERROR(client.DeleteModel(model.name()));
  context.console.Result("deleted " + model.name(), v1::DeleteModelResponse());
  return ExitCode::kOk;
}

}  // namespace bitwright::client
