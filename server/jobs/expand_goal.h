#pragma once

#include <vector>

#include "absl/status/status.h"
#include "server/jobs/bound_search.h"
#include "server/jobs/expand_context.h"
#include "server/jobs/expand_shared.h"
#include "server/jobs/goal_context.h"
#include "server/jobs/goal_plans.h"
#include "server/jobs/goal_prices.h"

namespace bitwright::server {

// The nodes of one goal of a job: from prices to its report. Keys of goals behind the first carry the goal
// (GoalKey). Each stage needs the facts of the stage before.
class GoalNodes {
 public:
  // Keeps references. `prices`: the goal whose prices this one takes, itself or an earlier one of the same target.
  GoalNodes(ExpandContext& context, const SharedNodes& shared, int goal, int prices);
  GoalNodes(const GoalNodes&) = delete;
  GoalNodes& operator=(const GoalNodes&) = delete;

  bool allocated() const { return goal_.facts.allocation != nullptr; }
  bool selected() const { return goal_.facts.selection.has_value(); }
  bool proved() const { return goal_.facts.provenance.has_value(); }

  // What the formats cost, unless that is another goal's, and allocate.
  void Allocate();

  // Whether a plan is looked for that meets a bound of quality, and the search, as far as its facts lead, goes through
  // that round.
  bool Searches(int round) const;
  // Whether plans are chosen on held-out text: there is such text, and something to choose.
  bool Chooses() const;
  // Whether it is known what was chosen, or nothing is.
  bool Chosen() const;

  // Of all plans at once, where none is looked for: quantize[j], quantize[ends].
  void Quantize();
  // evaluate[held-out,c], choose.
  void Choose();
  // The plan that is measured in that round of the search: quantize[plan,c,j], evaluate[c,i], probe[round].
  void Probe(int round);
  // Whether what that round found is known, or there was none.
  bool Probed(int round) const;
  // BOUND_NOT_MET: a search has ended, and no plan of the front meets the bound.
  absl::Status CheckFound() const;

  // evaluate[c,i] of the plans to be reported that are not there yet, select.
  void Measure();
  void Assemble();
  // score[f,1,s], grade[f,1] and sample[1].
  void Answer(const std::vector<v1::QuestionsSummary>& files);
  void Report();

 private:
  BoundSearch SearchAfter(size_t rounds) const;
  // Which plan of the allocation the selection is of. One that there is, whatever a worker says.
  int SelectedPlan() const;
  // All plans; of a choice the selected one, the best uniform one and the optimizer's; of a search those that were
  // measured, and a uniform one to compare with. Rising.
  std::vector<int> PlansToMeasure() const;
  std::vector<int> ProbedPlans() const;
  void Select(const std::vector<int>& plans);
  v1::CardFacts Card() const;
  v1::JobSpec ComparableSpec() const;

  const GoalContext goal_;
  GoalPrices prices_;
  GoalPlans plans_;
};

}  // namespace bitwright::server
