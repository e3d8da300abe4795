#include "client/cli/deliver.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "client/api/foreign_status.h"
#include "client/api/json.h"
#include "client/api/number_text.h"
#include "client/api/report_text.h"
#include "client/api/text_table.h"
#include "google/rpc/status.pb.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace); }

Json AsJson(const Delivery& delivery) {
  Json json = {{"job", delivery.job.name()}, {"out", delivery.out}};
  if (!delivery.budget.empty()) json["budget"] = delivery.budget;
  json["stages"] = Json::parse(ToJson(delivery.job)).at("stages");
  json["report"] = Json::parse(ToJson(delivery.report));
  return json;
}

Json IgnoredJson(std::span<const IgnoredFile> ignored) {
  Json files = Json::array();
  for (const IgnoredFile& file : ignored) {
    files.push_back({{"path", file.path}, {"size_bytes", std::to_string(file.size_bytes)}, {"why", file.why}});
  }
  return files;
}

const v1::Candidate* Selected(const v1::Report& report) {
  for (const v1::Candidate& candidate : report.candidates()) {
    if (candidate.name() == report.selected()) return &candidate;
  }
  return nullptr;
}

}  // namespace

std::string DeliveryText(const Delivery& delivery) {
  return absl::StrCat(ReportText(delivery.report), "\nStages\n\n", StageTableText(delivery.job), "\nWritten to ",
                      delivery.out, ": model/, report.json, report.txt\n");
}

std::string DeliveryJson(const Delivery& delivery, std::span<const IgnoredFile> ignored) {
  Json json = AsJson(delivery);
  json["ignored_files"] = IgnoredJson(ignored);
  return Dump(json);
}

std::string CurveJson(std::span<const Delivery> deliveries, std::span<const IgnoredFile> ignored) {
  Json json = {{"results", Json::array()}, {"ignored_files", IgnoredJson(ignored)}};
  for (const Delivery& delivery : deliveries) json["results"].push_back(AsJson(delivery));
  return Dump(json);
}

std::string CurveText(std::span<const Delivery> deliveries) {
  using Align = TextTable::Align;
  TextTable table({{"budget", Align::kLeft},
                   {"bits"},
                   {"bytes"},
                   {"KL divergence (nats)"},
                   {"perplexity"},
                   {"plan", Align::kLeft},
                   {"job", Align::kLeft}});
  std::string folders;
  for (const Delivery& delivery : deliveries) {
    const v1::Candidate* chosen = Selected(delivery.report);
    const v1::Candidate& c = chosen != nullptr ? *chosen : v1::Candidate::default_instance();
    table.Add({delivery.budget, Fixed(c.average_bits(), 3), WithThousands(delivery.report.artifact_bytes()),
               PlusMinus(c.kl_divergence().mean(), c.kl_divergence().standard_error(), 6), Fixed(c.perplexity(), 3),
               Printable(delivery.report.selected(), 30), delivery.job.name()});
    absl::StrAppend(&folders, "  ", delivery.out, "\n");
  }
  const v1::TokenLoss& original =
      deliveries.empty() ? v1::TokenLoss::default_instance() : deliveries.front().report.reference();
  return absl::StrCat(table.ToText(120), "\nThe original model has a perplexity of ", Fixed(original.perplexity(), 3),
                      ". Written, each with model/, report.json and report.txt, to\n", folders);
}

OnTransfer ToReporter(const CommandContext& context) {
  return [&progress = context.progress](const TransferProgress& state) { progress.Transfer(state); };
}

absl::StatusOr<v1::Report> Deliver(const CommandContext& context, Client& client, const v1::Job& job,
                                   const OutDir& out) {
  if (job.state() != v1::Job::SUCCEEDED) return JobNotFinishedError(job.name(), v1::Job::State_Name(job.state()));
  ABSL_ASSIGN_OR_RETURN(v1::Report report, client.GetReport(job.name()));
  ABSL_RETURN_IF_ERROR(out.Begin());
  ABSL_RETURN_IF_ERROR(client.DownloadArtifact(job.artifact(), out.model_dir(), ToReporter(context)));
  ABSL_RETURN_IF_ERROR(WriteWholeFile(out.report_json(), ToJson(report), FileUnwritableError));
  ABSL_RETURN_IF_ERROR(WriteWholeFile(out.report_text(), ReportText(report), FileUnwritableError));
  ABSL_RETURN_IF_ERROR(out.Finish());
  return report;
}

void WarnOf(const CommandContext& context, const google::protobuf::RepeatedPtrField<v1::Notice>& notices) {
  for (const v1::Notice& notice : notices) {
    context.progress.Warn(absl::StrCat(notice.message(), " [", notice.reason(), "]"));
  }
}

absl::StatusOr<v1::Job> Follow(const CommandContext& context, Client& client, const std::string& name,
                               const std::function<void(const v1::Job&)>& on_job) {
  return client.WatchJob(name, [&](const v1::Job& now) {
    context.progress.Job(now);
    WarnOf(context, now.notices());
    if (on_job) on_job(now);
  });
}

absl::Status EndOf(const v1::Job& job) {
  if (job.state() == v1::Job::CANCELLED) return JobCancelledError(job.name());
  return WithReason(job.error());
}

ExitCode ReportBadEnd(const CommandContext& context, const v1::Job& job) {
  context.progress.Finish();
  const absl::Status why = EndOf(job);
  context.console.Error(why);
  if (job.state() == v1::Job::CANCELLED) return ExitCode::kCancelled;
  return ExitCodeOf(why) == ExitCode::kUsage ? ExitCode::kUsage : ExitCode::kFailed;
}

}  // namespace bitwright::client
