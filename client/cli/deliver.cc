#include "client/cli/deliver.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/api/client_errors.h"
#include "client/api/json.h"
#include "client/cli/cli_errors.h"
#include "client/cli/follow.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/report/html_report.h"
#include "proto/report/job_goals.h"
#include "proto/report/number_text.h"
#include "proto/report/report_measures.h"
#include "proto/report/report_text.h"
#include "proto/report/text_table.h"

namespace bitwright::client {

namespace {

using Json = nlohmann::ordered_json;

Json AsJson(const v1::Job& job, const Delivery& delivery) {
  Json json = {{"job", job.name()}, {"out", delivery.out.path()}};
  if (!delivery.goal.empty()) json["budget"] = delivery.goal;
  json["stages"] = Json::parse(ToJson(job)).at("stages");
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

// What an output folder holds besides the artifact.
constexpr char kFiles[] = "model/, report.json, report.txt and report.html";

// Bits, bytes and losses of several results.
std::string CurveText(const v1::Job& job, std::span<const Delivery> deliveries) {
  using Align = TextTable::Align;
  TextTable table({{"budget", Align::kLeft},
                   {"bits"},
                   {"bytes"},
                   {"KL divergence (nats)"},
                   {"perplexity"},
                   {"plan", Align::kLeft}});
  std::string folders;
  for (const Delivery& delivery : deliveries) {
    const v1::Candidate* chosen = SelectedCandidate(delivery.report);
    const v1::Candidate& c = chosen != nullptr ? *chosen : v1::Candidate::default_instance();
    table.Add({delivery.goal, Fixed(c.average_bits(), 3), WithThousands(delivery.report.artifact_bytes()),
               PlusMinus(c.kl_divergence().mean(), c.kl_divergence().standard_error(), 6), Fixed(c.perplexity(), 3),
               Printable(delivery.report.selected(), 30)});
    absl::StrAppend(&folders, "  ", delivery.out.path(), "\n");
  }
  return absl::StrCat(table.ToText(120), "\nThe original model has a perplexity of ",
                      Fixed(deliveries.front().report.reference().perplexity(), 3), ". Results of ", job.name(),
                      ", each with ", kFiles, ", are in\n", folders);
}

absl::Status WriteOutcome(const CommandContext& context, Client& client, const v1::Manifest& artifact,
                          std::span<const v1::Task> tasks, const Delivery& delivery) {
  const OutDir& out = delivery.out;
  ABSL_RETURN_IF_ERROR(client.DownloadArtifact(artifact, out.model_dir(), ToReporter(context)));
  ABSL_RETURN_IF_ERROR(WriteWholeFile(out.report_json(), ToJson(delivery.report), FileUnwritableError));
  ABSL_RETURN_IF_ERROR(WriteWholeFile(out.report_text(), ReportText(delivery.report), FileUnwritableError));
  return WriteWholeFile(out.report_html(), HtmlReport(delivery.report, tasks), FileUnwritableError);
}

}  // namespace

std::vector<Delivery> DeliveriesTo(const std::string& out, bool force, std::span<const std::string> goals) {
  std::vector<Delivery> deliveries;
  for (size_t g = 0; g < goals.size(); ++g) {
    const std::string folder = goals.size() == 1 ? out : absl::StrCat(out, "/", GoalFolder(goals[g]));
    deliveries.push_back({goals[g], static_cast<int>(g), OutDir(folder, force), {}});
  }
  return deliveries;
}

absl::Status Deliver(const CommandContext& context, Client& client, const v1::Job& job,
                     std::span<Delivery> deliveries) {
  if (job.state() != v1::Job::SUCCEEDED) return JobNotFinishedError(job.name(), v1::Job::State_Name(job.state()));
  const std::vector<v1::Outcome> outcomes = OutcomesOf(job);
  for (Delivery& delivery : deliveries) {
    if (static_cast<size_t>(delivery.index) >= outcomes.size()) {
      return GoalUnknownError(delivery.index + 1, job.name(), outcomes.size());
    }
    ABSL_ASSIGN_OR_RETURN(delivery.report, client.GetReport(job.name(), delivery.index));
  }
  ABSL_ASSIGN_OR_RETURN(const std::vector<v1::Task> tasks, client.ListTasks(job.name()));
  for (const Delivery& delivery : deliveries) ABSL_RETURN_IF_ERROR(delivery.out.Check());
  for (const Delivery& delivery : deliveries) ABSL_RETURN_IF_ERROR(delivery.out.Begin());
  for (const Delivery& delivery : deliveries) {
    const v1::Manifest& artifact = outcomes[static_cast<size_t>(delivery.index)].artifact();
    ABSL_RETURN_IF_ERROR(WriteOutcome(context, client, artifact, tasks, delivery));
  }
  for (const Delivery& delivery : deliveries) ABSL_RETURN_IF_ERROR(delivery.out.Finish());
  return absl::OkStatus();
}

std::string DeliveryText(const v1::Job& job, std::span<const Delivery> deliveries) {
  if (deliveries.size() > 1) return CurveText(job, deliveries);
  const Delivery& only = deliveries.front();
  return absl::StrCat(ReportText(only.report), "\nStages\n\n", StageTableText(job), "\nWritten to ", only.out.path(),
                      ": ", kFiles, "\n");
}

std::string DeliveryJson(const v1::Job& job, std::span<const Delivery> deliveries,
                         std::span<const IgnoredFile> ignored) {
  Json json;
  if (deliveries.size() > 1) {
    json["results"] = Json::array();
    for (const Delivery& delivery : deliveries) json["results"].push_back(AsJson(job, delivery));
  } else {
    json = AsJson(job, deliveries.front());
  }
  json["ignored_files"] = IgnoredJson(ignored);
  return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace bitwright::client
