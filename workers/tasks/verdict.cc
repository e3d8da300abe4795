#include "workers/tasks/verdict.h"

#include <cmath>
#include <cstdio>

#include "proto/contract/budget_kind.h"

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

// How large the mixed plan is beside the uniform one.
std::string SizeBeside(const v1::Candidate& mixed, const v1::Candidate& uniform) {
  const int64_t more = mixed.weight_bytes() - uniform.weight_bytes();
  if (more == 0) return "; both are of the same size";
  const std::string bits = Number("%.2g", std::abs(mixed.average_bits() - uniform.average_bits())) + " bits";
  return more > 0 ? "; the best uniform plan leaves " + bits + " of it unused" : "; it is smaller by " + bits;
}

std::string RiseOf(const v1::Candidate& candidate) {
  return Number("%+.3f", 100 * (candidate.perplexity_ratio() - 1)) + " % perplexity";
}

std::string BoundText(const v1::Budget& budget) {
  if (budget.has_max_kl_divergence()) {
    return "a KL divergence of at most " + Number("%g", budget.max_kl_divergence()) + " nats";
  }
  return "a perplexity at most " + Number("%g", 100 * budget.max_perplexity_rise()) + " % higher";
}

std::string BoundVerdict(const v1::Report& report, const v1::Selection& selection) {
  const v1::Candidate& best = selection.candidates(selection.selected());
  const bool rise = report.budget().has_max_perplexity_rise();
  const auto with_rise = [&](const v1::Candidate& candidate) {
    return Described(candidate) + (rise ? ", " + RiseOf(candidate) : "");
  };
  std::string text =
      with_rise(best) + (rise ? "," : "") + " is the smallest plan of the front with " + BoundText(report.budget());
  for (const v1::Candidate& other : selection.candidates()) {
    if (other.plan() + 1 != best.plan()) continue;
    text += "; the next smaller one, of " + Number("%.3f", other.average_bits()) + " bits, was measured at " +
            (rise ? RiseOf(other) : Number("%.5f", other.kl_divergence().mean()) + " nats");
  }
  if (selection.best_uniform() < 0) return text + ". No uniform plan is as small.";
  if (selection.best_uniform() == selection.selected()) return text + ".";
  return text + ". The best uniform plan of no more bytes is " +
         with_rise(selection.candidates(selection.best_uniform())) + ".";
}

}  // namespace

std::string Verdict(const v1::Report& report, const v1::Selection& selection) {
  if (IsBound(report.budget())) return BoundVerdict(report, selection);
  const v1::Candidate& best = selection.candidates(selection.selected());
  if (selection.best_uniform() < 0) return Described(best) + " is the only kind of plan that was tried.";
  const v1::Candidate& uniform = selection.candidates(selection.best_uniform());
  if (selection.selected() == selection.best_uniform()) {
    for (const v1::Candidate& other : selection.candidates()) {
      if (other.kind() == v1::PLAN_KIND_MIXED) {
        const bool here = best.kl_divergence().mean() <= other.kl_divergence().mean();
        return (here ? "The uniform plan wins: " : "The uniform plan won on the held-out text, not here: ") +
               Described(best) + " against " + Described(other) + " for the mixed plan of the same budget.";
      }
    }
    return "The best uniform plan within the budget is " + Described(best) + ".";
  }
  const double ratio = best.kl_divergence().mean() / uniform.kl_divergence().mean();
  const std::string why = SizeBeside(best, uniform);
  // Chosen on another text, it need not win on this one.
  const std::string won = ratio < 1 ? "The mixed plan wins: " : "The mixed plan won on the held-out text, not here: ";
  return won + Described(best) + ", " + Number("%.2f", ratio) +
         " times the KL divergence of the best uniform plan within the same budget, " + Described(uniform) + why +
         (report.allocation().proved_optimal() ? ". The plan is proved optimal for its predictions."
                                               : ". The plan is within " + Number("%.2g", report.allocation().gap()) +
                                                     " nats of the bound for its predictions.");
}

}  // namespace bitwright::worker
