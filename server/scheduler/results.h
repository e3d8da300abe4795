#pragma once

#include "absl/status/status.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Take what a worker hands in, as WorkerService.CompleteTask and FailTask. ABORTED, reason LEASE_LOST: the lease is no
// longer the task's; a repeated call that says the same as the first is OK.

absl::Status CompleteTask(Core& core, const v1::CompleteTaskRequest& request);
absl::Status FailTask(Core& core, const v1::FailTaskRequest& request);

}  // namespace bitwright::server
