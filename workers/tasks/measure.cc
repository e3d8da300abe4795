#include "workers/tasks/measure.h"

#include <cmath>
#include <cstdio>

namespace bitwright::worker {
namespace {

std::string Number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string Described(const v1::Candidate& candidate) {
  return candidate.name() + " (" + Number("%.3f", candidate.average_bits()) + " bits, KL divergence " +
         Number("%.5f", candidate.kl_divergence().mean()) + " nats)";
}

}  // namespace

void FillMeasurements(const EvaluationSummary& summary, v1::Candidate& candidate) {
  auto& kl = *candidate.mutable_kl_divergence();
  kl.set_mean(summary.kl.mean.value);
  kl.set_standard_error(summary.kl.mean.standard_error);
  kl.set_median(summary.kl.median);
  kl.set_p99(summary.kl.p99);
  kl.set_max(summary.kl.max);
  candidate.set_perplexity(summary.quantized.perplexity.value);
  candidate.set_perplexity_standard_error(summary.quantized.perplexity.standard_error);
  candidate.set_mean_nll(summary.quantized.mean_nll.value);
  candidate.set_mean_nll_standard_error(summary.quantized.mean_nll.standard_error);
  candidate.set_perplexity_ratio(summary.perplexity_ratio.value);
  candidate.set_perplexity_ratio_standard_error(summary.perplexity_ratio.standard_error);
  candidate.set_top1_agreement(summary.top1_agreement.value);
  candidate.set_top1_agreement_standard_error(summary.top1_agreement.standard_error);
}

v1::TokenLoss TokenLossOf(const LossSummary& loss) {
  v1::TokenLoss proto;
  proto.set_mean_nll(loss.mean_nll.value);
  proto.set_mean_nll_standard_error(loss.mean_nll.standard_error);
  proto.set_perplexity(loss.perplexity.value);
  proto.set_perplexity_standard_error(loss.perplexity.standard_error);
  return proto;
}

std::string Verdict(const v1::Report& report, const v1::Selection& selection) {
  const v1::Candidate& best = selection.candidates(selection.selected());
  if (selection.best_uniform() < 0) return Described(best) + " is the only kind of plan that was tried.";
  const v1::Candidate& uniform = selection.candidates(selection.best_uniform());
  if (selection.selected() == selection.best_uniform()) {
    for (const v1::Candidate& other : selection.candidates()) {
      if (other.kind() == v1::PLAN_KIND_MIXED) {
        return "The uniform plan wins: " + Described(best) + " against " + Described(other) +
               " for the mixed plan of the same budget.";
      }
    }
    return "The best uniform plan within the budget is " + Described(best) + ".";
  }
  const double ratio = best.kl_divergence().mean() / uniform.kl_divergence().mean();
  const double unused = best.average_bits() - uniform.average_bits();
  std::string why = unused > 0.02 ? "; the best uniform plan leaves " + Number("%.3f", unused) + " bits of it unused"
                                  : "; both are of the same size";
  return "The mixed plan wins: " + Described(best) + ", " + Number("%.2f", ratio) +
         " times the KL divergence of the best uniform plan within the same budget, " + Described(uniform) + why +
         (report.allocation().proved_optimal() ? ". The plan is proved optimal for its predictions."
                                               : ". The plan is within " + Number("%.2g", report.allocation().gap()) +
                                                     " nats of the bound for its predictions.");
}

}  // namespace bitwright::worker
