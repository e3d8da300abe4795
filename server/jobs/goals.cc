#include "server/jobs/goals.h"

#include <set>
#include <string>

#include "proto/base/message_bytes.h"
#include "proto/contract/limits.h"
#include "server/jobs/job_errors.h"

namespace bitwright::server {

v1::JobSpec WithGoal(v1::JobSpec spec, const v1::Goal& goal) {
  SetGoals({&goal, 1}, spec);
  return spec;
}

absl::Status CheckGoals(const v1::JobSpec& spec) {
  if (spec.goals().empty()) return absl::OkStatus();
  if (spec.has_budget() || !spec.target().empty() || !spec.consumer().empty()) {
    return GoalsInvalidError("stand beside a budget, target or consumer of the spec itself; give one or the other");
  }
  if (spec.goals_size() > limits::kMaxGoals) {
    return GoalsInvalidError("are " + std::to_string(spec.goals_size()) + "; give at most " +
                             std::to_string(limits::kMaxGoals));
  }
  std::set<std::string> seen;
  for (int g = 0; g < spec.goals_size(); ++g) {
    if (!seen.insert(DeterministicBytes(spec.goals(g))).second) {
      return GoalsInvalidError("have goals[" + std::to_string(g) + "] twice; name it once");
    }
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
