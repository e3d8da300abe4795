#include "server/jobs/verdict.h"

#include <algorithm>

#include "proto/contract/budget_kind.h"

namespace bitwright::server {

std::string_view VerdictOf(const v1::Budget& budget, const v1::Selection& selection) {
  if (IsBound(budget)) return "bound_met";
  const v1::Candidate& selected = selection.candidates(selection.selected());
  const bool uniform = selected.kind() == v1::PLAN_KIND_UNIFORM;
  const v1::Candidate* other = nullptr;
  if (uniform) {
    const auto mixed = std::find_if(selection.candidates().begin(), selection.candidates().end(),
                                    [](const v1::Candidate& one) { return one.kind() == v1::PLAN_KIND_MIXED; });
    if (mixed != selection.candidates().end()) other = &*mixed;
  } else if (selection.best_uniform() >= 0 && selection.best_uniform() < selection.candidates_size()) {
    other = &selection.candidates(selection.best_uniform());
  }
  if (other == nullptr || other == &selected) return "alone";
  const bool better = selected.kl_divergence().mean() <= other->kl_divergence().mean();
  if (uniform) return better ? "uniform_better" : "uniform_worse";
  return better ? "mixed_better" : "mixed_worse";
}

}  // namespace bitwright::server
