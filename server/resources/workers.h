#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/clock.h"
#include "server/auth/call_context.h"
#include "server/scheduler/scheduler.h"

namespace bitwright::server {

// Workers as people name them: listed, and steered by operators. Errors as in WorkerService.ListWorkers and
// OperatorService. Thread-safe.
class WorkerResources {
 public:
  WorkerResources(Scheduler& scheduler, const Clock& clock) : scheduler_(scheduler), clock_(clock) {}

  absl::StatusOr<v1::ListWorkersResponse> List(const CallContext& call, const v1::ListWorkersRequest& request);
  absl::StatusOr<v1::Worker> Cordon(const CallContext& call, const std::string& name);
  absl::StatusOr<v1::Worker> Uncordon(const CallContext& call, const std::string& name);
  absl::StatusOr<v1::Worker> Drain(const CallContext& call, const std::string& name);

 private:
  Scheduler& scheduler_;
  const Clock& clock_;
};

}  // namespace bitwright::server
