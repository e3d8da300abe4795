#include "proto/contract/goals.h"

namespace bitwright {

std::vector<v1::Goal> GoalsOf(const v1::JobSpec& spec) {
  if (!spec.goals().empty()) return {spec.goals().begin(), spec.goals().end()};
  v1::Goal only;
  only.set_target(spec.target());
  only.set_consumer(spec.consumer());
  if (spec.has_budget()) *only.mutable_budget() = spec.budget();
  return {only};
}

void SetGoals(std::span<const v1::Goal> goals, v1::JobSpec& spec) {
  spec.clear_goals();
  spec.clear_target();
  spec.clear_consumer();
  spec.clear_budget();
  if (goals.size() > 1) {
    spec.mutable_goals()->Add(goals.begin(), goals.end());
    return;
  }
  const v1::Goal& only = goals.front();
  spec.set_target(only.target());
  spec.set_consumer(only.consumer());
  if (only.has_budget()) *spec.mutable_budget() = only.budget();
}

}  // namespace bitwright
