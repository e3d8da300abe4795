#include "server/scheduler/lease_expiry.h"

#include <optional>
#include <string>
#include <vector>

#include "proto/base/log.h"
#include "proto/base/process.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

// Leased, before a restart of the server, to a process of this machine that has ended since.
bool IsOrphan(Core& core, const TaskRow& row) {
  return core.board.fleet().Find(row.worker) == nullptr && row.worker_host == core.options.host &&
         ProcessIsGone(row.worker_process);
}

absl::Status Expire(Core& core, TaskBoard::Place place) {
  if (IsOrphan(core, place.task->row)) return PutBack(core, place);
  core.metrics.LeaseExpired();
  return RetryTask(core, place, LeaseExpiredError(place.task->row.worker));
}

}  // namespace

void ExpireLeases(Core& core) {
  const MonotonicTime now = core.clock.Monotonic();
  std::vector<std::string> expired;
  for (const auto& [name, owner] : core.board.owners()) {
    for (const LiveTask& task : owner->tasks) {
      if (task.row.state != TaskState::kLeased) continue;
      if (task.lease_expiry <= now || IsOrphan(core, task.row)) expired.push_back(task.row.name);
    }
  }
  for (const std::string& name : expired) {
    const std::optional<TaskBoard::Place> place = core.board.Find(name);
    if (!place) continue;  // an earlier one has ended its owner
    const absl::Status status = Expire(core, *place);
    if (!status.ok()) LOG(ERROR) << name << " stays leased: " << status.ToString();
  }
}

}  // namespace bitwright::server
