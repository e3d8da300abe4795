#pragma once

#include "absl/status/statusor.h"
#include "server/blobs/held_blobs.h"
#include "server/scheduler/owner.h"

namespace bitwright::server {

// Reads into the job's facts what its finished tasks have found out since. True: there is something new. Precondition:
// the owner is a job. Errors: of HeldBlobs::ReadWhole; INTERNAL, reason TASK_OUTPUT_MISSING or TASK_OUTPUT_INVALID.
absl::StatusOr<bool> ReadFacts(HeldBlobs& blobs, Owner& owner);

}  // namespace bitwright::server
