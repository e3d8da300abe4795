#include "server/scheduler/heartbeat.h"

#include <algorithm>
#include <optional>

#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

void Renew(Core& core, TaskBoard::Place place, const Fleet::Member& member, double progress) {
  LiveTask& task = *place.task;
  if (task.row.worker != member.name) {
    // The same process under a new name: it registered again after the server or the network was gone.
    TaskRow row = task.row;
    row.worker = member.name;
    core.board.SetRow(task, std::move(row));
  }
  task.lease_expiry = LeaseExpiry(core);
  progress = std::clamp(progress, 0.0, 1.0);
  if (progress == task.progress) return;
  task.progress = progress;
  Changed(core, *place.owner);
}

}  // namespace

absl::StatusOr<v1::HeartbeatResponse> RenewLeases(Core& core, const v1::HeartbeatRequest& request) {
  Fleet::Member* member = core.board.fleet().Find(request.worker());
  if (member == nullptr) return WorkerUnknownError(request.worker());
  Fleet::Seen(*member, core.clock);
  v1::HeartbeatResponse response;
  response.set_drain(core.draining);
  for (const auto& running : request.running()) {
    const std::optional<TaskBoard::Place> place = core.board.FindLease(running.task(), running.fencing_token());
    if (place) {
      Renew(core, *place, *member, running.progress());
    } else {
      response.add_lost(running.task());
    }
  }
  for (const auto& [name, owner] : core.board.owners()) response.add_live_owners(name);
  return response;
}

}  // namespace bitwright::server
