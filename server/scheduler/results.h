#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// The result of a leased task. What the server reads of it is checked before anything is kept. ABORTED, reason
// LEASE_LOST, unless the same result was accepted before; FAILED_PRECONDITION, reason BLOB_MISSING; errors of the
// store.
void CompleteTask(Core& core, const v1::CompleteTaskRequest& request, Answer answer);
// A failure of a leased task: by its own fault its owner fails, by the machinery's it is tried again. A failure that
// the server's own disk caused, or a lost input, is no attempt.
void FailTask(Core& core, const v1::FailTaskRequest& request, Answer answer);

}  // namespace bitwright::server
