#pragma once

#include "absl/status/statusor.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Renews the leases that the worker still holds and names those that it has lost, as WorkerService.Heartbeat.
// NOT_FOUND, reason WORKER_UNKNOWN.
absl::StatusOr<v1::HeartbeatResponse> RenewLeases(Core& core, const v1::HeartbeatRequest& request);

}  // namespace bitwright::server
