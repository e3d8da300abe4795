#include "client/cli/quantize_command.h"

#include "absl/strings/str_cat.h"
#include "client/cli/deliver.h"
#include "client/cli/job_spec.h"
#include "client/cli/resource_text.h"
#include "client/cli/session.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {
namespace {

OnTransfer ToReporter(const CommandContext& context) {
  return [&progress = context.progress](const TransferProgress& state) { progress.Transfer(state); };
}

// From the uploads to the files in OUT, on a session that is open.
absl::StatusOr<ExitCode> QuantizeOn(const CommandContext& context, Session& session, v1::JobSpec spec,
                                    const OutDir& out) {
  Client& client = session.client();
  ABSL_RETURN_IF_ERROR(CompleteJobSpec(context.options.job, client, ToReporter(context), spec));
  ABSL_ASSIGN_OR_RETURN(const v1::Job queued, client.CreateJob(spec));
  const auto ended = Follow(context, client, queued.name());
  if (absl::IsCancelled(ended.status()) && !session.is_local()) {
    context.progress.Finish();
    context.console.Note(absl::StrCat(queued.name(), " goes on at the server. Its result: bitwright artifact download ",
                                      queued.name(), " -o ", out.path(), "; to end it: bitwright job cancel ",
                                      queued.name()));
  }
  ABSL_RETURN_IF_ERROR(ended.status());
  if (ended->state() != v1::Job::SUCCEEDED) return ReportBadEnd(context, *ended);
  return Deliver(context, client, *ended, out);
}

}  // namespace

absl::StatusOr<ExitCode> Quantize(const CommandContext& context) {
  const OutDir out(context.options.out, context.options.force);
  ABSL_RETURN_IF_ERROR(out.Check());
  ABSL_ASSIGN_OR_RETURN(const v1::JobSpec spec, DraftJobSpec(context.options.job));
  ABSL_ASSIGN_OR_RETURN(const auto session, Session::Open(context.options, context.environment, context.cancel));
  auto code = QuantizeOn(context, *session, spec, out);
  if (!code.ok()) return session->Explain(code.status());
  return code;
}

absl::StatusOr<ExitCode> Plan(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(v1::JobSpec spec, DraftJobSpec(context.options.job));
  ABSL_ASSIGN_OR_RETURN(const auto session, Session::Open(context.options, context.environment, context.cancel));
  const absl::Status complete = CompleteJobSpec(context.options.job, session->client(), ToReporter(context), spec);
  if (!complete.ok()) return session->Explain(complete);
  const absl::StatusOr<v1::Job> job = session->client().ValidateJob(spec);
  if (!job.ok()) return session->Explain(job.status());
  context.progress.Finish();
  context.console.Result(EstimateText(job->estimate()), *job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobSubmit(const CommandContext& context) {
  ABSL_ASSIGN_OR_RETURN(v1::JobSpec spec, DraftJobSpec(context.options.job));
  ABSL_ASSIGN_OR_RETURN(const auto session, Session::Open(context.options, context.environment, context.cancel));
  ABSL_RETURN_IF_ERROR(CompleteJobSpec(context.options.job, session->client(), ToReporter(context), spec));
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, session->client().CreateJob(spec));
  context.progress.Finish();
  context.console.Result(job.name(), job);
  return ExitCode::kOk;
}

}  // namespace bitwright::client
