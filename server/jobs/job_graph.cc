#include "server/jobs/job_graph.h"

namespace bitwright::server {

const GoalFacts& Facts::goal(int index) const {
  static const GoalFacts kUnknown;
  return static_cast<size_t>(index) < goals.size() ? goals[static_cast<size_t>(index)] : kUnknown;
}

GoalFacts& Facts::goal(int index) {
  if (goals.size() <= static_cast<size_t>(index)) goals.resize(static_cast<size_t>(index) + 1);
  return goals[static_cast<size_t>(index)];
}

const v1::TargetInfo* ResolvedJob::target(int goal) const {
  return StoringTarget(model->info(), goals[static_cast<size_t>(goal)].goal.target());
}

const v1::TargetInfo* StoringTarget(const v1::ModelInfo& info, std::string_view target) {
  for (const v1::TargetInfo& one : info.targets()) {
    if (one.target() == target && !one.has_refusal()) return &one;
  }
  return nullptr;
}

}  // namespace bitwright::server
