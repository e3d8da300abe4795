#pragma once

#include "absl/status/statusor.h"
#include "bitwright/v1/reports.pb.h"
#include "server/scheduler/owner.h"

namespace bitwright::server {

// Where the job's numbers come from: its finished tasks in node order. Preconditions: the owner is a job, all its tasks
// so far are DONE. INTERNAL, reason TASK_OUTPUT_MISSING.
absl::StatusOr<v1::Provenance> MakeProvenance(const Owner& owner);

}  // namespace bitwright::server
