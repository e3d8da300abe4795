#include "proto/report/html_report.h"

#include <kainjow/mustache.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proto/contract/budget_kind.h"
#include "proto/report/budget_text.h"
#include "proto/report/html_text.h"
#include "proto/report/number_text.h"
#include "proto/report/page_files.h"
#include "proto/report/report_charts.h"
#include "proto/report/report_front.h"
#include "proto/report/report_measures.h"
#include "proto/report/report_plans.h"
#include "proto/report/report_provenance.h"
#include "proto/report/sensitivity_map.h"
#include "proto/report/task_timeline.h"

namespace bitwright {
namespace {

using kainjow::mustache::data;
using Facts = std::vector<std::pair<std::string, std::string>>;

// What the budget asked for, and what came of it.
std::string ResultText(const v1::Budget& budget, const v1::Candidate& selected) {
  switch (budget.kind_case()) {
    case v1::Budget::kAverageBits:
      return absl::StrCat(Fixed(selected.average_bits(), 3), " bits per weight");
    case v1::Budget::kMaxKlDivergence:
      return absl::StrCat("KL divergence ",
                          PlusMinus(selected.kl_divergence().mean(), selected.kl_divergence().standard_error(), 6),
                          " nats per token");
    case v1::Budget::kMaxPerplexityRise:
      return absl::StrCat("perplexity ", Percent(selected.perplexity_ratio() - 1, 2), " above the unquantized model's");
    default:
      return WithThousands(selected.artifact_bytes()) + " bytes";
  }
}

Facts FactsOf(const v1::Report& report) {
  Facts facts = {{"Budget", BudgetText(report.budget())}};
  if (const v1::Candidate* selected = SelectedCandidate(report); selected != nullptr) {
    facts.emplace_back("Result", ResultText(report.budget(), *selected));
    facts.emplace_back(
        "KL divergence",
        PlusMinus(selected->kl_divergence().mean(), selected->kl_divergence().standard_error(), 6) + " nats per token");
    facts.emplace_back("Perplexity", absl::StrCat(Fixed(selected->perplexity(), 3), ", unquantized ",
                                                  Fixed(report.reference().perplexity(), 3)));
  }
  std::string size = WithThousands(report.artifact_bytes()) + " bytes";
  if (report.model_bytes() > 0) {
    const double share = static_cast<double>(report.artifact_bytes()) / static_cast<double>(report.model_bytes());
    absl::StrAppend(&size, ", ", Percent(share, 1), " of the model's");
  }
  facts.emplace_back("Artifact", size);
  facts.emplace_back("Selected plan", report.selected());
  facts.emplace_back("Target", report.target());
  facts.emplace_back("Recipe", report.recipe());
  return facts;
}

data ListOf(const std::vector<std::string>& lines) {
  data list(data::type::list);
  for (const std::string& line : lines) list << data("line", line);
  return list;
}

// Programs that load the artifact, or do not, each with the reason.
std::vector<std::string> Consumers(const v1::Report& report, bool loads) {
  std::vector<std::string> lines;
  for (const v1::ConsumerVerdict& consumer : report.consumers()) {
    if (consumer.loads() != loads) continue;
    lines.push_back(consumer.program() + (loads ? "" : ": " + consumer.reason()));
  }
  return lines;
}

// The sections of a page, in order; those that have nothing to say are left out.
class Sections {
 public:
  void Add(std::string_view id, std::string_view title, const std::string& html, const std::string& note = "") {
    if (html.empty()) return;
    data section;
    section.set("id", std::string(id));
    section.set("title", std::string(title));
    section.set("body", html);
    if (!note.empty()) section.set("note", note);
    list_ << section;
  }
  void Add(std::string_view id, const std::optional<ReportSection>& section) {
    if (section) Add(id, section->title, HtmlTable(section->table, section->title), section->note);
  }
  const data& list() const { return list_; }

 private:
  data list_{data::type::list};
};

std::string Sample(const v1::Report& report) {
  if (!report.has_sample()) return "";
  const v1::GreedySample& sample = report.sample();
  const auto entry = [](std::string_view name, const std::string& line) {
    return Element("dt", "", name) + Element("dd", "", line);
  };
  return absl::StrCat("<dl class=\"sample\">", entry("prompt", SampleLine(sample.prompt(), sample.prompt_ids())),
                      entry("unquantized", SampleLine(sample.base(), sample.base_ids())),
                      entry("selected plan", SampleLine(sample.quantized(), sample.quantized_ids())), "</dl>\n");
}

// Predictions beside measurements: of plans, and of single units by width.
std::string Predictions(const v1::Report& report) {
  std::string html = PredictionChart(report);
  if (report.allocation().checks().empty()) return html;
  html += "<p>Measured with one unit alone quantized:</p>\n<ul>";
  for (const v1::WidthCheck& check : report.allocation().checks()) html += Element("li", "", CheckText(check));
  return html + "</ul>\n";
}

std::string Front(const v1::Report& report) {
  const auto front = FrontSection(report);
  return FrontChart(report) + (front ? Folded(front->title, HtmlTable(front->table, front->title)) : "");
}

Sections SectionsOf(const v1::Report& report, std::span<const v1::Task> tasks) {
  Sections sections;
  const ReportSection loss = LossSection(report), quality = QualitySection(report);
  sections.Add("candidates", loss.title, HtmlTable(loss.table, loss.title) + HtmlTable(quality.table, quality.title),
               quality.note);
  sections.Add("front", "How small, and at what loss", Front(report),
               "The line is predicted; points were measured, with one standard error to either side.");
  sections.Add("tokens", TokenSection(report));
  sections.Add("texts", TextsSection(report));
  sections.Add("choices", ChoicesSection(report));
  if (report.has_sample()) sections.Add("sample", SampleTitle(report.sample()), Sample(report));
  sections.Add("trials", TrialsSection(report));
  sections.Add("predictions", "Predicted and measured", Predictions(report));
  sections.Add("bits", "Bits of each unit", BitsChart(report));
  sections.Add("sensitivities", "What each unit would cost in each format", SensitivityMap(report),
               "Darker cells cost more, on a logarithmic scale. The outlined one was chosen; m: measured.");
  sections.Add("size", SizeSection(report));
  sections.Add("time", "How the time was spent", TaskTimeline(tasks));
  const ReportSection units = UnitsSection(report);
  sections.Add("units", units.title,
               Folded(absl::StrCat(report.units_size(), " units"), HtmlTable(units.table, units.title)));
  sections.Add("provenance", "Where the numbers come from", Provenance(report));
  return sections;
}

}  // namespace

std::string HtmlReport(const v1::Report& report, std::span<const v1::Task> tasks) {
  data facts(data::type::list);
  for (const auto& [name, value] : FactsOf(report)) {
    data fact;
    fact.set("name", name);
    fact.set("value", value);
    facts << fact;
  }
  std::vector<std::string> notices;
  for (const v1::Notice& notice : report.notices()) {
    notices.push_back(absl::StrCat(notice.message(), " [", notice.reason(), "]"));
  }
  const Sections sections = SectionsOf(report, tasks);
  data page;
  page.set("style", std::string(PageFile("report.css")));
  page.set("model", report.model());
  page.set("has-job", !report.job_display_name().empty());
  page.set("job", report.job_display_name());
  page.set("verdict", report.verdict());
  page.set("facts", facts);
  page.set("loaded", ListOf(Consumers(report, true)));
  page.set("refused", ListOf(Consumers(report, false)));
  page.set("notices", ListOf(notices));
  page.set("has-notices", !notices.empty());
  page.set("sections", sections.list());
  return kainjow::mustache::mustache(std::string(PageFile("report.html"))).render(page);
}

}  // namespace bitwright
