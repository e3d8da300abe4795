#include "client/cli/model_commands.h"

#include "client/cli/job_spec.h"
#include "client/cli/resource_text.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {

absl::StatusOr<ExitCode> ModelUpload(const CommandContext& context, Client& client) {
  const JobOptions& job = context.options.job;
  ABSL_ASSIGN_OR_RETURN(
      const v1::Model model,
      client.UploadModel(job.model, job.display_name.empty() ? FolderName(job.model) : job.display_name,
                         [&](const TransferProgress& progress) { context.progress.Transfer(progress); }));
  context.progress.Finish();
  context.console.Result(model.name(), model);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ModelList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const auto models, client.ListModels(context.options.most));
  v1::ListModelsResponse all;
  all.mutable_models()->Add(models.begin(), models.end());
  context.console.Result(ModelTable(models), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ModelShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Model model, client.GetModel(FullName(Collection::kModels, context.options.name)));
  context.console.Result(ModelText(model), model);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ModelDelete(const CommandContext& context, Client& client) {
  const std::string name = FullName(Collection::kModels, context.options.name);
  ABSL_RETURN_IF_ERROR(client.DeleteModel(name));
  context.console.Result("deleted " + name, v1::DeleteModelResponse());
  return ExitCode::kOk;
}

}  // namespace bitwright::client
