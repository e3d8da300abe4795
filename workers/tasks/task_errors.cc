#include "workers/tasks/task_errors.h"

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/errors.h"

namespace bitwright::worker {
namespace task_errors {

absl::Status InputMissing(const std::string& name) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_MISSING", "the task has no input '" + name + "'",
                   {{"input", name}});
}

absl::Status InputDamaged(const std::string& name, const std::string& why) {
  return MakeError(absl::StatusCode::kInvalidArgument, "TASK_INPUT_DAMAGED", "input '" + name + "' " + why,
                   {{"input", name}});
}

}  // namespace task_errors

absl::Status CheckCandidate(const v1::Allocation& allocation, int candidate, const v1::ModelInfo& info) {
  if (candidate < 0 || candidate >= allocation.candidates_size()) {
    return task_errors::InputDamaged("allocation", "has no candidate " + std::to_string(candidate));
  }
  const v1::Plan& plan = allocation.candidates(candidate);
  bool fits = plan.units_size() == info.units_size() && info.units_size() > 0;
  for (int u = 0; fits && u < info.units_size(); ++u) fits = plan.units(u).unit() == info.units(u).name();
  if (!fits) return task_errors::InputDamaged("allocation", "does not name the units of input 'info'");
  return absl::OkStatus();
}

}  // namespace bitwright::worker
