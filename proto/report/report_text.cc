#include "proto/report/report_text.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "proto/contract/budget_kind.h"
#include "proto/report/budget_text.h"
#include "proto/report/number_text.h"
#include "proto/report/report_front.h"
#include "proto/report/report_measures.h"
#include "proto/report/report_plans.h"
#include "proto/report/report_provenance.h"
#include "proto/report/text_table.h"

namespace bitwright {
namespace {

using Align = TextTable::Align;
constexpr size_t kColumns = 100;
constexpr size_t kLabelColumns = 22;
constexpr size_t kNameColumns = 60;

std::string Line(std::string_view label, const std::string& value) {
  std::string text(label);
  text.resize(kLabelColumns, ' ');
  return text + value + "\n";
}

// Lines below a Line, in the column of its value.
std::string Indented(std::string_view paragraph) { return Beside("", kLabelColumns, paragraph, kColumns); }

std::string Candidates(const v1::Report& report) {
  const ReportSection loss = LossSection(report), quality = QualitySection(report);
  return absl::StrCat(loss.title, "\n\n", loss.table.ToText(kColumns), "\n", quality.table.ToText(kColumns), "\n",
                      quality.note, "\n");
}

std::string Checks(const v1::Report& report) {
  std::string text;
  for (const v1::WidthCheck& check : report.allocation().checks()) {
    text += Line(text.empty() ? "  measured" : "", CheckText(check));
  }
  return text;
}

// What both models write after the prompt.
std::string Sample(const v1::Report& report) {
  if (!report.has_sample()) return "";
  const v1::GreedySample& sample = report.sample();
  const auto paragraph = [](std::string_view name, const std::string& line) {
    constexpr size_t kIndent = 18;
    return Beside(absl::StrCat("  ", std::string(name)), kIndent, line, kColumns);
  };
  return absl::StrCat(SampleTitle(sample), "\n\n",
                      paragraph("prompt", SampleLine(sample.prompt(), sample.prompt_ids())),
                      paragraph("unquantized", SampleLine(sample.base(), sample.base_ids())),
                      paragraph("selected plan", SampleLine(sample.quantized(), sample.quantized_ids())), "\n");
}

std::string Units(const v1::Report& report) {
  const ReportSection units = UnitsSection(report);
  return absl::StrCat(units.title, "\n\n", units.table.ToText(kColumns));
}

// What is known of plans within a budget of size. A bound of quality has none: there the front tells.
std::string Certificate(const v1::Report& report) {
  const auto& allocation = report.allocation();
  std::string text = "Allocation\n\n";
  if (IsBound(report.budget())) return allocation.checks().empty() ? "" : text + Checks(report) + "\n";
  for (const v1::Candidate& c : report.candidates()) {
    if (c.kind() == v1::PLAN_KIND_MIXED)
      text += Line("  predicted loss", Scientific(c.predicted_loss(), 6) + " nats per token (mixed plan)");
  }
  text += Line("  lower bound", Scientific(allocation.bound(), 6) + " nats per token, for any plan within the budget");
  std::string gap = Scientific(allocation.gap(), 3);
  if (allocation.bound() > 0)
    absl::StrAppend(&gap, " (", Scientific(allocation.gap() / allocation.bound(), 2), " of the bound)");
  text += Line("  gap", gap + (allocation.proved_optimal() ? ", proved optimal" : ""));
  text += Line("  price of a byte", Scientific(allocation.lambda(), 3) + " nats");
  text += Line("  weight budget", WithThousands(allocation.weight_budget_bytes()) + " bytes");
  return text + Checks(report) + "\n";
}

// What a text is called, where it has a name, and its digest below.
std::string DataLine(std::string_view label, const std::string& name, const std::string& digest) {
  return name.empty() ? Line(label, digest) : Line(label, Printable(name, kNameColumns)) + Line("", digest);
}

using Strings = google::protobuf::RepeatedPtrField<std::string>;

// The texts of one use, and what was taken of them.
std::string DataLines(std::string_view label, const Strings& names, const Strings& digests, int64_t tokens, int window,
                      v1::ComputeType compute) {
  std::string text;
  for (int t = 0; t < digests.size(); ++t) {
    text += DataLine(t == 0 ? label : "", t < names.size() ? names[t] : "", digests[t]);
  }
  return text + Line(digests.empty() ? label : "",
                     absl::StrCat(WithThousands(tokens), " tokens in windows of ", window, ", ", ComputeText(compute)));
}

std::string Notices(const v1::Report& report) {
  if (report.notices().empty()) return "";
  std::string text = "\nTo be known\n\n";
  for (const v1::Notice& notice : report.notices()) {
    text +=
        Beside("  - ", 4, Printable(notice.message(), 1000) + " [" + Printable(notice.reason(), 60) + "]", kColumns);
  }
  return text;
}

std::string ProvenanceSummary(const v1::Report& report) {
  const v1::Provenance& from = report.provenance();
  std::map<std::string, int> tasks;
  for (const auto& task : from.tasks()) ++tasks[task.kind()];
  std::string kinds;
  for (const auto& [kind, count] : tasks)
    absl::StrAppend(&kinds, kinds.empty() ? "" : ", ", count, " ", Printable(kind, 20));
  std::string text = "Provenance\n\n";
  text += Line("  model", from.model());
  text += DataLines("  calibration", report.calibration_names(), from.calibration_data(), from.calibration_tokens(),
                    from.window(), report.calibration_compute());
  text += DataLines("  evaluation", report.evaluation_names(), from.evaluation_data(), from.evaluation_tokens(),
                    from.window(), report.evaluation_compute());
  text += Line("  compute class", Printable(from.compute_class(), kNameColumns));
  text += Line("  code version", Printable(from.code_version(), kNameColumns));
  return text +
         Line("  tasks", absl::StrCat(from.tasks_size(), "; report.json names each with its inputs and outputs")) +
         Indented(kinds);
}

// Which programs load the artifact, and which do not.
std::string Consumers(const v1::Report& report) {
  std::string text;
  for (const bool loads : {true, false}) {
    std::string label = loads ? "  loaded by" : "  not loaded by";
    for (const v1::ConsumerVerdict& consumer : report.consumers()) {
      if (consumer.loads() != loads) continue;
      const std::string why = loads ? "" : ": " + Printable(consumer.reason(), 400);
      text += Beside(label, kLabelColumns, Printable(consumer.program(), kNameColumns) + why, kColumns);
      label.clear();
    }
  }
  return text;
}

std::string BudgetLine(const v1::Budget& budget) {
  return Line("  budget", BudgetText(budget) + (IsBound(budget) ? ", the smallest that meets it" : ""));
}

std::string Head(const v1::Report& report) {
  std::string sizes = WithThousands(report.artifact_bytes()) + " bytes";
  if (report.model_bytes() > 0) {
    absl::StrAppend(
        &sizes, ", ",
        Percent(static_cast<double>(report.artifact_bytes()) / static_cast<double>(report.model_bytes()), 1),
        " of the model's ", WithThousands(report.model_bytes()));
  }
  return absl::StrCat(Wrap(Printable(report.verdict(), 2000), kColumns), "\n",
                      Line("  model", Printable(report.model(), kNameColumns)),
                      report.job_display_name().empty() || report.job_display_name() == report.model()
                          ? ""
                          : Line("  job", Printable(report.job_display_name(), kNameColumns)),
                      BudgetLine(report.budget()), Line("  selected", Printable(report.selected(), kNameColumns)),
                      Line("  artifact", sizes), Line("  recipe", Printable(report.recipe(), kNameColumns)),
                      Line("  target", Printable(report.target(), kNameColumns)), Consumers(report));
}

}  // namespace

std::string ReportText(const v1::Report& report) {
  return absl::StrCat(Head(report), Notices(report), "\n", Candidates(report), "\n", SectionText(TokenSection(report)),
                      SectionText(TextsSection(report)), SectionText(ChoicesSection(report)), Sample(report),
                      SectionText(TrialsSection(report)), Certificate(report), SectionText(FrontSection(report)),
                      SectionText(SizeSection(report)), Units(report), "\n", ProvenanceSummary(report));
}

std::string StageTableText(const v1::Job& job) {
  TextTable table({{"stage", Align::kLeft}, {"tasks"}, {"cached"}, {"seconds"}});
  int tasks = 0;
  int cached = 0;
  double seconds = 0;
  for (const v1::Stage& stage : job.stages()) {
    table.Add({Printable(stage.kind(), kNameColumns), absl::StrCat(stage.tasks()), absl::StrCat(stage.cached()),
               Fixed(stage.seconds(), 2)});
    tasks += stage.tasks();
    cached += stage.cached();
    seconds += stage.seconds();
  }
  table.Add({"all", absl::StrCat(tasks), absl::StrCat(cached), Fixed(seconds, 2)});
  return table.ToText(kColumns);
}

}  // namespace bitwright
