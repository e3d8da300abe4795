#include "client/cli/deliver.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "client/api/json.h"
#include "client/api/report_text.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/contract/rpc_status.h"

namespace bitwright::client {
namespace {

std::string DeliveryJson(const v1::Job& job, const std::string& out, const std::string& report_json) {
  const auto job_json = nlohmann::ordered_json::parse(ToJson(job));
  const nlohmann::ordered_json whole = {{"job", job.name()},
                                        {"out", out},
                                        {"stages", job_json.at("stages")},
                                        {"report", nlohmann::ordered_json::parse(report_json)}};
  return whole.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<ExitCode> Deliver(const CommandContext& context, Client& client, const v1::Job& job, const OutDir& out) {
  if (job.state() != v1::Job::SUCCEEDED) return JobNotFinishedError(job.name(), v1::Job::State_Name(job.state()));
  ABSL_ASSIGN_OR_RETURN(const v1::Report report, client.GetReport(job.name()));
  ABSL_RETURN_IF_ERROR(out.Begin());
  ABSL_RETURN_IF_ERROR(client.DownloadArtifact(
      job.artifact(), out.model_dir(), [&](const TransferProgress& progress) { context.progress.Transfer(progress); }));
  const std::string json = ToJson(report);
  const std::string text = ReportText(report);
  ABSL_RETURN_IF_ERROR(WriteWholeFile(out.report_json(), json, FileUnwritableError));
  ABSL_RETURN_IF_ERROR(WriteWholeFile(out.report_text(), text, FileUnwritableError));
  ABSL_RETURN_IF_ERROR(out.Finish());
  context.progress.Finish();
  context.console.Result(absl::StrCat(text, "\nStages\n\n", StageTableText(job), "\nWritten to ", out.path(),
                                      ": model/, report.json, report.txt\n"),
                         context.console.style().json ? DeliveryJson(job, out.path(), json) : "");
  return ExitCode::kOk;
}

absl::StatusOr<v1::Job> Follow(const CommandContext& context, Client& client, const std::string& name) {
  return client.WatchJob(name, [&](const v1::Job& now) { context.progress.Job(now); });
}

ExitCode ReportBadEnd(const CommandContext& context, const v1::Job& job) {
  context.progress.Finish();
  if (job.state() == v1::Job::CANCELLED) {
    context.console.Error(JobCancelledError(job.name()));
    return ExitCode::kCancelled;
  }
  const absl::Status error = FromProto(job.error());
  context.console.Error(error.ok() ? JobFailedError() : error);
  return ExitCode::kFailed;
}

}  // namespace bitwright::client
