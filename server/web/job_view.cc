#include "server/web/job_view.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "proto/base/random_id.h"
#include "proto/contract/devices.h"
#include "proto/contract/goals.h"
#include "proto/inputs/data_kind.h"
#include "proto/report/budget_text.h"
#include "proto/report/job_goals.h"
#include "proto/report/number_text.h"
#include "server/web/http.h"
#include "server/web/page_text.h"

namespace bitwright::server {
namespace {

View StageRow(const v1::Stage& stage) {
  View row;
  row.Text("kind", stage.kind())
      .Text("tasks", absl::StrCat(stage.tasks()))
      .Text("finished", absl::StrCat(stage.finished()))
      .Text("cached", absl::StrCat(stage.cached()))
      .Text("running", absl::StrCat(stage.running()))
      .Text("seconds", stage.seconds() > 0 ? SecondsText(stage.seconds()) : "");
  PutShare(row, stage.fraction());
  return row;
}

View::Items NoticeItems(const google::protobuf::RepeatedPtrField<v1::Notice>& notices) {
  View::Items items;
  for (const v1::Notice& notice : notices) {
    items.push_back(View().Text("message", notice.message()).Text("reason", notice.reason()));
  }
  return items;
}

View::Items TextItems(const google::protobuf::RepeatedPtrField<v1::Data>& texts) {
  View::Items items;
  for (const v1::Data& text : texts) {
    items.push_back(View()
                        .Text("text", text.display_name().empty() ? "unnamed" : text.display_name())
                        .Text("kind", DataKindName(text.kind()))
                        .Text("bytes", BytesText(text.blob().size_bytes())));
  }
  return items;
}

View::Items LabelItems(const v1::JobSpec& spec) {
  std::map<std::string, std::string> sorted(spec.labels().begin(), spec.labels().end());
  View::Items items;
  for (const auto& [key, value] : sorted) items.push_back(View().Text("key", key).Text("value", value));
  return items;
}

// A path within an artifact as a part of an address.
std::string LinkPath(const std::string& path) {
  std::vector<std::string> parts;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(path, '/'))) parts.push_back(UrlEncoded(part));
  return absl::StrJoin(parts, "/");
}

View::Items FileItems(const std::string& job, size_t goal, const v1::Manifest& artifact) {
  View::Items items;
  for (const v1::FileEntry& file : artifact.files()) {
    items.push_back(View()
                        .Text("path", file.path())
                        .Text("link", absl::StrCat("/jobs/", IdOf(job), "/files/", goal, "/", LinkPath(file.path())))
                        .Text("bytes", WithThousands(file.digest().size_bytes()))
                        .Text("sha256", file.digest().sha256()));
  }
  return items;
}

View CandidateRow(const v1::Report& report, const v1::Candidate& candidate) {
  const v1::KlDivergence& loss = candidate.kl_divergence();
  return View()
      .Text("name", candidate.name())
      .If("selected", candidate.name() == report.selected())
      .Text("bits", Fixed(candidate.average_bits(), 3))
      .Text("bytes", WithThousands(candidate.artifact_bytes()))
      .Text("kl", PlusMinus(loss.mean(), loss.standard_error(), 5))
      .Text("perplexity", PlusMinus(candidate.perplexity(), candidate.perplexity_standard_error(), 3))
      .Text("agreement", Percent(candidate.top1_agreement(), 1));
}

View FrontRow(const v1::FrontPoint& point) {
  return View()
      .Text("bits", Fixed(point.average_bits(), 3))
      .Text("bytes", WithThousands(point.artifact_bytes()))
      .Text("loss", Scientific(point.predicted_loss(), 3));
}

// The goal as it was reached.
View OutcomeView(const v1::Job& job, size_t goal, const v1::Report& report) {
  View view = ReportView(report);
  return view.Text("goal", absl::StrCat(goal))
      .Text("title", GoalText(GoalsOf(job.spec())[goal]))
      .Each("files", FileItems(job.name(), goal, OutcomesOf(job)[goal].artifact()));
}

}  // namespace

View ProgressView(const v1::Job& job, absl::Time now) {
  View::Items stages;
  for (const v1::Stage& stage : job.stages()) stages.push_back(StageRow(stage));
  View view = JobRow(job, now);
  return view.If("has_stages", job.stages_size() > 0)
      .Each("stages", std::move(stages))
      .Optional("error", job.state() == v1::Job::FAILED ? ErrorText(job.error()) : "")
      .Text("started", TimeText(job.start_time()))
      .If("has_notices", job.notices_size() > 0)
      .Each("notices", NoticeItems(job.notices()))
      .Optional("ended", TimeText(job.end_time()))
      .Optional("compute_class", job.compute_class());
}

View JobView(const v1::Job& job, std::span<const v1::Report> reports, absl::Time now) {
  const v1::JobSpec& spec = job.spec();
  View::Items goals;
  for (const v1::Goal& goal : GoalsOf(spec)) goals.push_back(View().Text("text", GoalText(goal)));
  View::Items outcomes;
  for (size_t goal = 0; goal < reports.size(); ++goal) outcomes.push_back(OutcomeView(job, goal, reports[goal]));
  View view = ProgressView(job, now);
  return view.Each("goals", std::move(goals))
      .Text("recipe", RecipeText(spec))
      .Text("device", spec.device().empty() ? kAnyDevice : spec.device())
      .Text("priority", absl::StrCat(spec.priority()))
      .Each("calibration", TextItems(spec.calibration()))
      .Each("evaluation", TextItems(spec.evaluation()))
      .If("has_labels", spec.labels_size() > 0)
      .Each("labels", LabelItems(spec))
      .Text("request_id", RandomId())
      .Each("outcomes", std::move(outcomes));
}

View ReportView(const v1::Report& report) {
  View::Items candidates;
  for (const v1::Candidate& candidate : report.candidates()) candidates.push_back(CandidateRow(report, candidate));
  View::Items front;
  for (const v1::FrontPoint& point : report.front()) front.push_back(FrontRow(point));
  const v1::TokenLoss& reference = report.reference();
  return View()
      .Text("verdict", report.verdict())
      .Text("budget", BudgetText(report.budget()))
      .Text("artifact_bytes", WithThousands(report.artifact_bytes()))
      .Text("model_bytes", WithThousands(report.model_bytes()))
      .Text("reference", PlusMinus(reference.perplexity(), reference.perplexity_standard_error(), 3))
      .Each("candidates", std::move(candidates))
      .If("has_front", report.front_size() > 1)
      .Each("front", std::move(front));
}

}  // namespace bitwright::server
