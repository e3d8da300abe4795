#include "proto/report/report_plans.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/contract/budget_kind.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

using Align = TextTable::Align;
constexpr size_t kNameColumns = 300;  // the table cuts names in their middle where it must

bool Meets(const v1::Candidate& candidate, const v1::Budget& bound) {
  return bound.kind_case() == v1::Budget::kMaxKlDivergence
             ? candidate.kl_divergence().mean() <= bound.max_kl_divergence()
             : candidate.perplexity_ratio() - 1 <= bound.max_perplexity_rise();
}

std::string MarkedName(const v1::Report& report, int index, int best_uniform) {
  const std::string& name = report.candidates(index).name();
  return absl::StrCat(name == report.selected() ? "*" : " ", index == best_uniform ? "u " : "  ",
                      Printable(name, kNameColumns));
}

}  // namespace

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

ReportSection LossSection(const v1::Report& report) {
  const int best_uniform = BestUniform(report);
  TextTable table(
      {{"candidate", Align::kLeft}, {"bits"}, {"bytes"}, {"KL divergence (nats)"}, {"median"}, {"p99"}, {"max"}});
  for (int i = 0; i < report.candidates_size(); ++i) {
    const v1::Candidate& c = report.candidates(i);
    const v1::KlDivergence& kl = c.kl_divergence();
    table.Add({MarkedName(report, i, best_uniform), Fixed(c.average_bits(), 3), WithThousands(c.artifact_bytes()),
               PlusMinus(kl.mean(), kl.standard_error(), 6), Fixed(kl.median(), 6), Fixed(kl.p99(), 5),
               Fixed(kl.max(), 4)});
  }
  return {absl::StrCat("Candidates, each quantized and measured on ", WithThousands(report.scored_tokens()), " tokens"),
          std::move(table)};
}

ReportSection QualitySection(const v1::Report& report) {
  const int best_uniform = BestUniform(report);
  TextTable table({{"candidate", Align::kLeft}, {"perplexity"}, {"ratio"}, {"top-1 same"}, {"predicted loss (nats)"}});
  table.Add({"   unquantized",
             PlusMinus(report.reference().perplexity(), report.reference().perplexity_standard_error(), 3), "1",
             "100 %", ""});
  for (int i = 0; i < report.candidates_size(); ++i) {
    const v1::Candidate& c = report.candidates(i);
    table.Add({MarkedName(report, i, best_uniform), PlusMinus(c.perplexity(), c.perplexity_standard_error(), 3),
               PlusMinus(c.perplexity_ratio(), c.perplexity_ratio_standard_error(), 5),
               absl::StrCat(Fixed(100 * c.top1_agreement(), 2), " ± ",
                            Fixed(100 * c.top1_agreement_standard_error(), 2), " %"),
               Fixed(c.predicted_loss(), 6)});
  }
  return {"Candidates beside the unquantized model", std::move(table),
          absl::StrCat("*  selected    u  ",
                       IsBound(report.budget()) ? "smallest uniform plan that meets the bound"
                                                : "best uniform plan within the budget",
                       "    ±  standard error")};
}

std::optional<ReportSection> TrialsSection(const v1::Report& report) {
  if (!report.has_choice()) return std::nullopt;
  TextTable table({{"plan", Align::kLeft}, {"KL divergence (nats)"}, {"predicted loss (nats)"}});
  for (const v1::Trial& trial : report.choice().trials()) {
    table.Add({absl::StrCat(trial.name() == report.selected() ? "*  " : "   ", Printable(trial.name(), kNameColumns)),
               PlusMinus(trial.kl_divergence(), trial.kl_standard_error(), 6), Fixed(trial.predicted_loss(), 6)});
  }
  return ReportSection{
      absl::StrCat("Plans, each quantized and tried on ", WithThousands(report.choice().scored_tokens()),
                   " tokens of the calibration text that were held out of it"),
      std::move(table)};
}

std::string CheckText(const v1::WidthCheck& check) {
  return absl::StrCat(check.bits(), " bits: ", Scientific(check.measured(), 3), " nats where ",
                      Scientific(check.predicted(), 3), " were predicted, over ", check.units(),
                      check.units() == 1 ? " unit" : " units");
}

ReportSection UnitsSection(const v1::Report& report) {
  TextTable table({{"unit", Align::kLeft}, {"format", Align::kLeft}, {"bits"}, {"bytes"}, {"predicted loss (nats)"}});
  for (const auto& unit : report.units()) {
    table.Add({Printable(unit.name(), kNameColumns), unit.format(), absl::StrCat(unit.bits()),
               WithThousands(unit.bytes()), Scientific(unit.sensitivity(), 3)});
  }
  return {"Units of the selected plan", std::move(table)};
}

}  // namespace bitwright
