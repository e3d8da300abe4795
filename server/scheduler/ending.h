#pragma once

#include "absl/status/status.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Each writes the end of a model or job, with its tasks and the blobs that it names from now on, in one transaction.
// OK: it is durable and the owner is gone from the board.

// All tasks are DONE: the model is READY, the job SUCCEEDED. INTERNAL, reason TASK_OUTPUT_MISSING or
// TASK_OUTPUT_INVALID; or an error of the store or of HeldBlobs::ReadWhole.
absl::Status FinishOwner(Core& core, Owner& owner);

// The model is REJECTED, the job FAILED. When the store refuses, the owner stays, stuck, and Advance tries again.
absl::Status FailOwner(Core& core, Owner& owner, const absl::Status& error);

// The job is CANCELLED. Precondition: the owner is a job.
absl::Status CancelJob(Core& core, Owner& owner);

}  // namespace bitwright::server
