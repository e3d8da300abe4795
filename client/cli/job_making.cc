#include "client/cli/job_making.h"

#include "absl/strings/str_cat.h"
#include "client/cli/find_resource.h"
#include "client/cli/follow.h"
#include "client/cli/preflight.h"
#include "client/cli/resource_text.h"
#include "client/cli/session.h"
#include "proto/base/status_macros.h"
#include "proto/report/number_text.h"

namespace bitwright::client {
namespace {

constexpr size_t kPathColumns = 100;

absl::StatusOr<ExitCode> PlanOn(const CommandContext& context, Client& client, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(SendDraft(context, client, draft).status());
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.ValidateJob(draft.spec));
  WarnOf(context, job.notices());
  context.progress.Finish();
  context.console.Result(EstimateText(job, draft.goals), job);
  return ExitCode::kOk;
}

// Queues the job and prints its name.
absl::StatusOr<ExitCode> Queue(const CommandContext& context, Client& client, const JobDraft& draft) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, MakeJob(context, client, draft.spec));
  context.progress.Finish();
  context.console.Result(job.name(), job);
  return ExitCode::kOk;
}

}  // namespace

void TellIgnored(const CommandContext& context, const JobDraft& draft) {
  if (!draft.model.has_value() || draft.model->ignored.empty()) return;
  const ModelDir& model = *draft.model;
  const bool list = context.options.verbose;
  context.console.Note(
      absl::StrCat("ignored: ", model.ignored.size(), model.ignored.size() == 1 ? " file, " : " files, ",
                   BytesText(model.ignored_bytes()), " beside the model", list ? ":" : " (--verbose lists them)"));
  if (!list) return;
  for (const IgnoredFile& file : model.ignored) {
    context.console.Note(absl::StrCat("  ", Printable(file.path, kPathColumns), "  ", BytesText(file.size_bytes),
                                      file.why.empty() ? "" : ", ", file.why));
  }
}

absl::StatusOr<v1::Model> SendDraft(const CommandContext& context, Client& client, JobDraft& draft) {
  ABSL_RETURN_IF_ERROR(Preflight(client, draft));
  ABSL_RETURN_IF_ERROR(HashDraft(*context.cancel, ToReporter(context), draft));
  ABSL_ASSIGN_OR_RETURN(v1::Model model, UploadDraft(context.options.job, client, ToReporter(context), draft));
  WarnOf(context, model.info().notices());
  return model;
}

absl::StatusOr<v1::Job> MakeJob(const CommandContext& context, Client& client, const v1::JobSpec& spec) {
  ABSL_ASSIGN_OR_RETURN(v1::Job job, client.CreateJob(spec));
  const std::string& asked = spec.inline_recipe().name();
  const std::string& named = job.spec().inline_recipe().name();
  if (!asked.empty() && !named.empty() && asked != named) {
    context.progress.Warn(absl::StrCat("the recipe differs from the '", asked, "' that ships; it goes by the name of '",
                                       Printable(named, 80), "'"));
  }
  return job;
}

absl::StatusOr<ExitCode> Plan(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(JobDraft draft, DraftJob(context.options, context.environment));
  TellIgnored(context, draft);
  ABSL_ASSIGN_OR_RETURN(const auto session, Session::Open(context.options, context.environment, context.cancel));
  auto code = PlanOn(context, session->client(), draft);
  if (!code.ok()) return session->Explain(code.status());
  return code;
}

absl::StatusOr<ExitCode> JobSubmit(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(JobDraft draft, DraftJob(context.options, context.environment));
  TellIgnored(context, draft);
  ABSL_ASSIGN_OR_RETURN(const auto session, Session::Open(context.options, context.environment, context.cancel));
  ABSL_RETURN_IF_ERROR(SendDraft(context, session->client(), draft).status());
  return Queue(context, session->client(), draft);
}

absl::StatusOr<ExitCode> JobClone(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job other, FindJob(client, context.options.name));
  ABSL_ASSIGN_OR_RETURN(JobDraft draft, ChangeJob(other.spec(), context.options));
  ABSL_RETURN_IF_ERROR(Preflight(client, draft));
  ABSL_RETURN_IF_ERROR(UploadTexts(client, draft));
  return Queue(context, client, draft);
}

}  // namespace bitwright::client
