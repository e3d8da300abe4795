#pragma once

#include "server/scheduler/results.h"

namespace bitwright::server {

// Outputs by name, so that a repeated call compares equal.
v1::TaskResult SortedResult(v1::TaskResult result);

// Calls about a lease that is no more: OK where the same was accepted before, ABORTED, reason LEASE_LOST, otherwise.
void LateResult(Core& core, const v1::CompleteTaskRequest& request, Answer answer);
void LateFailure(Core& core, const v1::FailTaskRequest& request, Answer answer);

}  // namespace bitwright::server
