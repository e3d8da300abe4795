#include "workers/tasks/candidate_check.h"

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/contract/task_names.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {

absl::Status CheckCandidate(const v1::Allocation& allocation, int candidate, const v1::ModelInfo& info) {
  if (candidate < 0 || candidate >= allocation.candidates_size()) {
    return TaskInputDamagedError(TaskFile::kAllocation, "has no candidate " + std::to_string(candidate));
  }
  const v1::Plan& plan = allocation.candidates(candidate);
  bool fits = plan.units_size() == info.units_size() && info.units_size() > 0;
  for (int u = 0; fits && u < info.units_size(); ++u) {
    fits = plan.units(u).unit() == info.units(u).name() && CheckFormat(FormatOf(plan.units(u).format())).ok();
  }
  if (!fits)
    return TaskInputDamagedError(TaskFile::kAllocation, "does not give the units of input 'info' their formats");
  return absl::OkStatus();
}

}  // namespace bitwright::worker
