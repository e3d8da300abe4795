#include "server/scheduler/heartbeat.h"

#include <algorithm>
#include <optional>

#include "proto/base/status_macros.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// False: it is not this worker's.
bool Renew(Core& core, const LeaseClaim& claim, double progress) {
  if (!core.fleet->Renew(claim, core.clock.Monotonic())) return false;
  const std::optional<TaskBoard::Place> place = core.board.FindLease(claim.task, claim.fencing_token);
  if (!place) return true;  // of an owner that is not loaded yet, or whose end is being written
  progress = std::clamp(progress, 0.0, 1.0);
  if (progress == place->task->progress) return true;
  core.board.SetProgress(*place->owner, *place->task, progress);
  Changed(core, *place->owner);
  return true;
}

}  // namespace

absl::StatusOr<v1::HeartbeatResponse> RenewLeases(Core& core, const v1::HeartbeatRequest& request) {
  if (core.fleet == nullptr) return WorkersElsewhereError();
  ABSL_RETURN_IF_ERROR(core.fleet->Seen(request.worker(), core.clock));
  v1::HeartbeatResponse response;
  response.set_drain(core.draining);
  for (const auto& running : request.running()) {
    const LeaseClaim claim{request.worker(), running.task(), running.fencing_token()};
    if (!Renew(core, claim, running.progress())) response.add_lost(running.task());
  }
  for (const std::string& owner : request.owners()) {
    if (core.board.FindOwner(owner) == nullptr) response.add_ended_owners(owner);
  }
  return response;
}

}  // namespace bitwright::server
