#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/reports.pb.h"
#include "server/scheduler/owner.h"

namespace bitwright::server {

// Of each goal where its numbers come from: those finished tasks of the job that they stand on, in node order, by the
// names that they would have in a job of this goal alone. Preconditions: the owner is a job, all its tasks so far are
// DONE. INTERNAL, reason TASK_OUTPUT_MISSING.
absl::StatusOr<std::vector<v1::Provenance>> MakeProvenance(const Owner& owner);

}  // namespace bitwright::server
