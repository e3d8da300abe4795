#include "server/scheduler/releasing.h"

#include <optional>
#include <vector>

#include "google/rpc/status.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/limits.h"
#include "proto/contract/rpc_status.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/policy.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {

absl::Status RetryTask(Core& core, TaskBoard::Place place, const absl::Status& error) {
  LiveTask& task = *place.task;
  LOG(WARNING) << task.row.name << " (" << task.node.spec.kind() << ") attempt " << task.row.attempt
               << " failed: " << error.ToString();
  TaskRow row = task.row;
  row.error = ToProto(error).SerializeAsString();
  if (row.attempt >= limits::kMaxTaskAttempts) {
    MoveTask(row, TaskEvent::kFailed);
    core.board.SetRow(task, std::move(row));
    return FailOwner(core, *place.owner, AttemptsExhaustedError(task.node.key, task.row.attempt, error));
  }
  const absl::Duration pause = RetryDelay(row.attempt + 1);
  MoveTask(row, TaskEvent::kReleased);
  row.not_before_micros = ToMicros(core.clock.Now() + pause);
  ABSL_RETURN_IF_ERROR(core.store.Write([&](Transaction& tx) { return tx.PutTask(row); }));
  core.board.SetRow(task, std::move(row));
  task.ready_since = core.clock.Monotonic();
  task.not_before = core.clock.Monotonic() + pause;
  core.metrics.TaskRetried();
  Changed(core, *place.owner);
  return absl::OkStatus();
}

absl::Status PutBack(Core& core, TaskBoard::Place place) {
  LiveTask& task = *place.task;
  TaskRow row = task.row;
  MoveTask(row, TaskEvent::kReleased);
  row.attempt -= 1;
  ABSL_RETURN_IF_ERROR(core.store.Write([&](Transaction& tx) { return tx.PutTask(row); }));
  core.board.SetRow(task, std::move(row));
  task.ready_since = core.clock.Monotonic();
  Changed(core, *place.owner);
  return absl::OkStatus();
}

void ReleaseWorker(Core& core, const std::string& worker, const absl::Status* fault) {
  std::vector<std::string> leased;
  for (const auto& [name, owner] : core.board.owners()) {
    for (const LiveTask& task : owner->tasks) {
      if (task.row.state == TaskState::kLeased && task.row.worker == worker) leased.push_back(task.row.name);
    }
  }
  for (const std::string& name : leased) {
    const std::optional<TaskBoard::Place> place = core.board.Find(name);
    if (!place) continue;  // an earlier one has ended its owner
    const absl::Status status = fault != nullptr ? RetryTask(core, *place, *fault) : PutBack(core, *place);
    if (!status.ok()) LOG(ERROR) << name << " will be released when its lease ends: " << status.ToString();
  }
  core.board.fleet().Remove(worker);
}

}  // namespace bitwright::server
