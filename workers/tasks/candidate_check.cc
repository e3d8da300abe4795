#include "workers/tasks/candidate_check.h"

#include <algorithm>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/targets/artifact.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {

absl::Status CheckCandidate(const v1::Allocation& allocation, int candidate, const v1::ModelInfo& info,
                            const Target& target) {
  ABSL_ASSIGN_OR_RETURN(const v1::TargetInfo* stored, TargetInfoOf(info, target));
  if (candidate < 0 || candidate >= allocation.candidates_size()) {
    return TaskInputDamagedError(TaskFile::kAllocation, "has no candidate " + std::to_string(candidate));
  }
  const v1::Plan& plan = allocation.candidates(candidate);
  bool fits = plan.units_size() == stored->units_size() && stored->units_size() > 0;
  for (int u = 0; fits && u < stored->units_size(); ++u) {
    const auto formats = UnitFormatsOf(plan.units(u).format());
    fits = plan.units(u).unit() == info.units(u).name() && formats.ok() &&
           (!formats->differ() ||
            (target.linears_differ() && info.units(u).linears_size() % std::ssize(formats->all()) == 0)) &&
           std::ranges::all_of(formats->all(),
                               [&](const Format& format) { return std::ranges::count(target.formats(), format) > 0; });
  }
  if (fits) return absl::OkStatus();
  return TaskInputDamagedError(TaskFile::kAllocation, "does not give the units of input 'info' their formats");
}

}  // namespace bitwright::worker
