#include "server/jobs/goal_context.h"

#include <utility>

#include "proto/contract/budget_kind.h"
#include "proto/contract/task_names.h"
#include "server/jobs/goals.h"

namespace bitwright::server {

GoalContext::GoalContext(ExpandContext& context, const SharedNodes& shared_nodes, int index)
    : all(context),
      shared(shared_nodes),
      goal(index),
      spec(context.job.goals[static_cast<size_t>(index)].goal),
      recipe(context.job.goals[static_cast<size_t>(index)].recipe),
      facts(context.facts.goal(index)),
      target(*context.job.target(index)),
      window(context.job.calibration_window()),
      costs(context.info, target, recipe, window),
      evaluation_costs(context.info, target, recipe, context.job.evaluation_window()),
      live(context.info, recipe.rounding(), &target) {}

std::string GoalContext::Key(std::string key) const { return GoalKey(std::move(key), goal); }

bool GoalContext::Searches() const { return IsBound(budget()); }

bool GoalContext::StoresEnds() const {
  const int stored = target.units_size();
  return stored > 0 && all.info.units(stored - 1).block() < 0;
}

v1::JobSpec GoalContext::SpecOfThisAlone() const { return WithGoal(all.job.spec, spec); }

}  // namespace bitwright::server
