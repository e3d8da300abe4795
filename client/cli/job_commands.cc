#include "client/cli/job_commands.h"

#include <algorithm>
#include <cctype>

#include "client/api/report_text.h"
#include "client/cli/deliver.h"
#include "client/cli/job_spec.h"
#include "client/cli/resource_text.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

std::string JobName(const CommandContext& context) { return FullName(Collection::kJobs, context.options.name); }

v1::Job::State ParseState(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  v1::Job::State state = v1::Job::STATE_UNSPECIFIED;
  v1::Job::State_Parse(text, &state);  // the parser of the command line has checked it; empty stays unspecified
  return state;
}

}  // namespace

absl::StatusOr<ExitCode> JobList(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const auto jobs, client.ListJobs(ParseState(context.options.state), context.options.most));
  v1::ListJobsResponse all;
  all.mutable_jobs()->Add(jobs.begin(), jobs.end());
  context.console.Result(JobTable(jobs), all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobShow(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.GetJob(JobName(context)));
  context.console.Result(JobText(job), job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobWatch(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, Follow(context, client, JobName(context)));
  context.progress.Finish();
  if (job.state() != v1::Job::SUCCEEDED) return ReportBadEnd(context, job);
  context.console.Result(JobText(job), job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobCancel(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.CancelJob(JobName(context)));
  context.console.Result(job.name() + " is cancelled", job);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobReport(const CommandContext& context, Client& client) {
  ABSL_ASSIGN_OR_RETURN(const v1::Report report, client.GetReport(JobName(context)));
  context.console.Result(ReportText(report), report);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> JobDelete(const CommandContext& context, Client& client) {
  ABSL_RETURN_IF_ERROR(client.DeleteJob(JobName(context)));
  context.console.Result("deleted " + JobName(context), v1::DeleteJobResponse());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> ArtifactDownload(const CommandContext& context, Client& client) {
  const OutDir out(context.options.out, context.options.force);
  ABSL_RETURN_IF_ERROR(out.Check());
  ABSL_ASSIGN_OR_RETURN(const v1::Job job, client.GetJob(JobName(context)));
  return Deliver(context, client, job, out);
}

}  // namespace bitwright::client
