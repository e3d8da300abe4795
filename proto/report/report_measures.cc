#include "proto/report/report_measures.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/report/number_text.h"

namespace bitwright {
namespace {

using Align = TextTable::Align;
constexpr size_t kNameColumns = 60;
constexpr int kKlDigits = 6;
constexpr int kPercentDigits = 3;

// Of a probability, or of its change.
std::string InPercent(double value) { return Fixed(100 * value, kPercentDigits) + " %"; }

std::string InPercent(double value, double error) {
  return absl::StrCat(Fixed(100 * value, kPercentDigits), " ± ", Fixed(100 * error, kPercentDigits), " %");
}

const char* PartName(v1::SizePart::Kind kind) {
  switch (kind) {
    case v1::SizePart::WEIGHTS:
      return "weights";
    case v1::SizePart::EMBEDDING:
      return "embedding";
    case v1::SizePart::HEAD:
      return "output head";
    case v1::SizePart::KEPT:
      return "other tensors";
    case v1::SizePart::FRAME:
      return "header and padding";
    case v1::SizePart::TOKENIZER:
      return "tokenizer";
    default:
      return "other files";
  }
}

// As lm-evaluation-harness calls it; of ARC both parts have the same fields.
const char* TaskName(v1::ChoiceTask task) {
  switch (task) {
    case v1::HELLASWAG:
      return "hellaswag";
    case v1::ARC:
      return "arc";
    case v1::PIQA:
      return "piqa";
    case v1::WINOGRANDE:
      return "winogrande";
    case v1::BOOLQ:
      return "boolq";
    default:
      return "";
  }
}

std::string NameOfText(const v1::Report& report, int text) {
  const std::string name = text < report.evaluation_names_size() ? report.evaluation_names(text) : "";
  return name.empty() ? absl::StrCat("text ", text + 1) : Printable(name, kNameColumns);
}

}  // namespace

const v1::Candidate* SelectedCandidate(const v1::Report& report) {
  for (const v1::Candidate& candidate : report.candidates()) {
    if (candidate.name() == report.selected()) return &candidate;
  }
  return nullptr;
}

std::optional<ReportSection> TokenSection(const v1::Report& report) {
  const v1::Candidate* selected = SelectedCandidate(report);
  if (selected == nullptr || !selected->has_probability_change()) return std::nullopt;
  const v1::KlDivergence& kl = selected->kl_divergence();
  const v1::ProbabilityChange& change = selected->probability_change();
  TextTable table({{"", Align::kLeft}, {"KL divergence (nats)"}, {"Δp"}});
  const auto both = [&](const char* name, double divergence, double delta) {
    table.Add({name, Fixed(divergence, kKlDigits), InPercent(delta)});
  };
  const auto one = [&](const char* name, const std::string& delta) { table.Add({name, "", delta}); };
  table.Add({"mean", PlusMinus(kl.mean(), kl.standard_error(), kKlDigits),
             InPercent(change.mean(), change.standard_error())});
  one("RMS", InPercent(change.rms(), change.rms_standard_error()));
  both("maximum", kl.max(), change.max());
  both("99.9 %", kl.p999(), change.p999());
  both("99 %", kl.p99(), change.p99());
  both("95 %", kl.p95(), change.p95());
  both("90 %", kl.p90(), change.p90());
  one("75 %", InPercent(change.p75()));
  both("median", kl.median(), change.median());
  one("25 %", InPercent(change.p25()));
  both("10 %", kl.p10(), change.p10());
  both("5 %", kl.p05(), change.p05());
  both("1 %", kl.p01(), change.p01());
  one("0.1 %", InPercent(change.p001()));
  both("minimum", kl.min(), change.min());
  one("same top", InPercent(selected->top1_agreement(), selected->top1_agreement_standard_error()));
  return ReportSection{"The selected plan beside the unquantized model, token by token", std::move(table),
                       "Δp: change of the probability of the token that is next in the text"};
}

std::optional<ReportSection> TextsSection(const v1::Report& report) {
  const v1::Candidate* selected = SelectedCandidate(report);
  if (selected == nullptr || selected->texts_size() < 2 || selected->texts_size() != report.texts_size())
    return std::nullopt;
  TextTable table({{"text", Align::kLeft},
                   {"tokens"},
                   {"unquantized"},
                   {"perplexity"},
                   {"KL divergence (nats)"},
                   {"99.9 %"},
                   {"same top"}});
  const auto add = [&](const std::string& name, int64_t tokens, const v1::TokenLoss& reference, const auto& measured) {
    table.Add({name, WithThousands(tokens), Fixed(reference.perplexity(), 3),
               PlusMinus(measured.perplexity(), measured.perplexity_standard_error(), 3),
               PlusMinus(measured.kl_divergence().mean(), measured.kl_divergence().standard_error(), kKlDigits),
               Fixed(measured.kl_divergence().p999(), 4), Fixed(100 * measured.top1_agreement(), 2) + " %"});
  };
  for (int t = 0; t < report.texts_size(); ++t) {
    add(NameOfText(report, t), report.texts(t).scored_tokens(), report.texts(t).reference(), selected->texts(t));
  }
  add("all", report.scored_tokens(), report.reference(), *selected);
  return ReportSection{"The selected plan on each evaluation text", std::move(table)};
}

std::optional<ReportSection> ChoicesSection(const v1::Report& report) {
  if (report.choices().empty()) return std::nullopt;
  TextTable table({{"questions", Align::kLeft},
                   {"task", Align::kLeft},
                   {"count"},
                   {"metric", Align::kLeft},
                   {"unquantized"},
                   {"selected plan"}});
  const auto shown = [](const v1::ChoiceMetric& metric) {
    return PlusMinus(metric.value(), metric.standard_error(), 4);
  };
  for (const v1::ChoiceResult& result : report.choices()) {
    for (int m = 0; m < std::min(result.base_size(), result.quantized_size()); ++m) {
      table.Add({Printable(result.name(), kNameColumns), TaskName(result.task()), WithThousands(result.questions()),
                 Printable(result.base(m).name(), 20), shown(result.base(m)), shown(result.quantized(m))});
    }
  }
  return ReportSection{"Multiple-choice questions, scored as lm-evaluation-harness does", std::move(table)};
}

std::string SampleTitle(const v1::GreedySample& sample) {
  const std::string parting = sample.first_divergence() < 0
                                  ? "the same tokens"
                                  : absl::StrCat("the first to differ is token ", sample.first_divergence() + 1);
  return absl::StrCat("A sample of ", sample.base_ids_size(), " tokens, the most likely one each time: ", parting);
}

std::string SampleLine(const std::string& text, const google::protobuf::RepeatedField<int32_t>& ids) {
  constexpr size_t kMostShown = 4000;
  std::string line = text.empty() ? absl::StrJoin(ids, " ") : text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return Printable(line, kMostShown);
}

std::optional<ReportSection> SizeSection(const v1::Report& report) {
  const v1::Candidate* selected = SelectedCandidate(report);
  if (selected == nullptr || selected->size().empty()) return std::nullopt;
  TextTable table({{"part", Align::kLeft}, {"format", Align::kLeft}, {"bytes"}, {"share"}});
  const double all = static_cast<double>(selected->artifact_bytes());
  for (const v1::SizePart& part : selected->size()) {
    table.Add({PartName(part.kind()), Printable(part.format(), kNameColumns), WithThousands(part.bytes()),
               Percent(static_cast<double>(part.bytes()) / all, 2)});
  }
  table.Add({"all", "", WithThousands(selected->artifact_bytes()), Percent(1, 2)});
  return ReportSection{"What the bytes of the artifact are for", std::move(table)};
}

}  // namespace bitwright
