#pragma once

#include "absl/status/statusor.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/core.h"

namespace bitwright::server {

// Renews the leases that the worker holds and takes their progress. The answer names what is lost of these, and which
// of the owners that the worker keeps something for are over. NOT_FOUND, reason WORKER_UNKNOWN.
absl::StatusOr<v1::HeartbeatResponse> RenewLeases(Core& core, const v1::HeartbeatRequest& request);

}  // namespace bitwright::server
