#include "client/api/report_text.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "client/api/budget.h"
#include "client/api/number_text.h"
#include "client/api/report_front.h"
#include "client/api/report_measures.h"
#include "client/api/text_table.h"
#include "proto/contract/budget_kind.h"

namespace bitwright::client {
namespace {

using Align = TextTable::Align;
constexpr size_t kColumns = 100;
constexpr size_t kLabelColumns = 22;
constexpr size_t kNameColumns = 60;
constexpr size_t kTableNameColumns = 300;  // the table cuts names in their middle where it must

std::string Line(std::string_view label, const std::string& value) {
  std::string text(label);
  text.resize(kLabelColumns, ' ');
  return text + value + "\n";
}

// Lines below a Line, in the column of its value.
std::string Indented(std::string_view paragraph) { return Beside("", kLabelColumns, paragraph, kColumns); }

bool Meets(const v1::Candidate& candidate, const v1::Budget& bound) {
  return bound.kind_case() == v1::Budget::kMaxKlDivergence
             ? candidate.kl_divergence().mean() <= bound.max_kl_divergence()
             : candidate.perplexity_ratio() - 1 <= bound.max_perplexity_rise();
}

// Index of the best uniform candidate: that with the lowest mean KL divergence, or, under a bound of quality, the
// smallest that meets it. -1: none.
int BestUniform(const v1::Report& report) {
  const bool bound = IsBound(report.budget());
  const auto worth = [&](const v1::Candidate& candidate) {
    return bound ? static_cast<double>(candidate.artifact_bytes()) : candidate.kl_divergence().mean();
  };
  int best = -1;
  for (int i = 0; i < report.candidates_size(); ++i) {
    const v1::Candidate& candidate = report.candidates(i);
    if (candidate.kind() != v1::PLAN_KIND_UNIFORM || (bound && !Meets(candidate, report.budget()))) continue;
    if (best < 0 || worth(candidate) < worth(report.candidates(best))) best = i;
  }
  return best;
}

std::string MarkedName(const v1::Report& report, int index, int best_uniform) {
  const std::string& name = report.candidates(index).name();
  return absl::StrCat(name == report.selected() ? "*" : " ", index == best_uniform ? "u " : "  ",
                      Printable(name, kTableNameColumns));
}

std::string Candidates(const v1::Report& report) {
  const int best_uniform = BestUniform(report);
  TextTable loss(
      {{"candidate", Align::kLeft}, {"bits"}, {"bytes"}, {"KL divergence (nats)"}, {"median"}, {"p99"}, {"max"}});
  TextTable quality(
      {{"candidate", Align::kLeft}, {"perplexity"}, {"ratio"}, {"top-1 same"}, {"predicted loss (nats)"}});
  quality.Add({"   unquantized",
               PlusMinus(report.reference().perplexity(), report.reference().perplexity_standard_error(), 3), "1",
               "100 %", ""});
  for (int i = 0; i < report.candidates_size(); ++i) {
    const v1::Candidate& c = report.candidates(i);
    const v1::KlDivergence& kl = c.kl_divergence();
    const std::string name = MarkedName(report, i, best_uniform);
    loss.Add({name, Fixed(c.average_bits(), 3), WithThousands(c.artifact_bytes()),
              PlusMinus(kl.mean(), kl.standard_error(), 6), Fixed(kl.median(), 6), Fixed(kl.p99(), 5),
              Fixed(kl.max(), 4)});
    quality.Add({name, PlusMinus(c.perplexity(), c.perplexity_standard_error(), 3),
                 PlusMinus(c.perplexity_ratio(), c.perplexity_ratio_standard_error(), 5),
                 absl::StrCat(Fixed(100 * c.top1_agreement(), 2), " ± ",
                              Fixed(100 * c.top1_agreement_standard_error(), 2), " %"),
                 Fixed(c.predicted_loss(), 6)});
  }
  return absl::StrCat(
      "Candidates, each quantized and measured on ", WithThousands(report.scored_tokens()), " tokens\n\n",
      loss.ToText(kColumns), "\n", quality.ToText(kColumns), "\n*  selected    u  ",
      IsBound(report.budget()) ? "smallest uniform plan that meets the bound" : "best uniform plan within the budget",
      "    ±  standard error\n");
}

// How the selected plan was chosen; nothing where all plans were measured on the evaluation text.
std::string Trials(const v1::Report& report) {
  if (!report.has_choice()) return "";
  TextTable table({{"plan", Align::kLeft}, {"KL divergence (nats)"}, {"predicted loss (nats)"}});
  for (const v1::Trial& trial : report.choice().trials()) {
    table.Add(
        {absl::StrCat(trial.name() == report.selected() ? "*  " : "   ", Printable(trial.name(), kTableNameColumns)),
         PlusMinus(trial.kl_divergence(), trial.kl_standard_error(), 6), Fixed(trial.predicted_loss(), 6)});
  }
  return absl::StrCat("Plans, each quantized and tried on ", WithThousands(report.choice().scored_tokens()),
                      " tokens of the calibration text that were held out of it\n\n", table.ToText(kColumns), "\n");
}

// What single units cost beside what was predicted of them, by width.
std::string Checks(const v1::Report& report) {
  std::string text;
  for (const v1::WidthCheck& check : report.allocation().checks()) {
    absl::StrAppend(&text, Line(text.empty() ? "  measured" : "",
                                absl::StrCat(check.bits(), " bits: ", Scientific(check.measured(), 3), " nats where ",
                                             Scientific(check.predicted(), 3), " were predicted, over ", check.units(),
                                             check.units() == 1 ? " unit" : " units")));
  }
  return text;
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

std::string Units(const v1::Report& report) {
  TextTable table({{"unit", Align::kLeft}, {"format", Align::kLeft}, {"bits"}, {"bytes"}, {"predicted loss (nats)"}});
  for (const auto& unit : report.units()) {
    table.Add({Printable(unit.name(), kTableNameColumns), unit.format(), absl::StrCat(unit.bits()),
               WithThousands(unit.bytes()), Scientific(unit.sensitivity(), 3)});
  }
  return absl::StrCat("Units of the selected plan\n\n", table.ToText(kColumns));
}

std::string ComputeText(v1::ComputeType type) { return type == v1::COMPUTE_TYPE_BF16 ? "bf16" : "f32"; }

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
  return absl::StrCat(Head(report), Notices(report), "\n", Candidates(report), "\n", TokenTable(report),
                      TextsTable(report), ChoicesTable(report), SampleParagraphs(report), Trials(report),
                      Certificate(report), FrontTable(report), SizeTable(report), Units(report), "\n",
                      ProvenanceSummary(report));
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

}  // namespace bitwright::client
