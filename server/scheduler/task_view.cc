#include "server/scheduler/task_view.h"

#include <optional>

#include "google/rpc/status.pb.h"
#include "proto/base/wire_time.h"
#include "proto/contract/task_names.h"

namespace bitwright::server {
namespace {

v1::Task::State ToProto(TaskState state) {
  switch (state) {
    case TaskState::kWaiting:
      return v1::Task::WAITING;
    case TaskState::kReady:
      return v1::Task::READY;
    case TaskState::kLeased:
      return v1::Task::LEASED;
    case TaskState::kDone:
      return v1::Task::DONE;
    case TaskState::kFailed:
      return v1::Task::FAILED;
    case TaskState::kCancelled:
      return v1::Task::CANCELLED;
  }
  return v1::Task::STATE_UNSPECIFIED;
}

// The time of day of a moment of the monotonic clock.
absl::Time WallTime(const Core& core, MonotonicTime moment) {
  return core.clock.Now() + (moment - core.clock.Monotonic());
}

}  // namespace

std::string TaskStateName(TaskState state) { return v1::Task::State_Name(ToProto(state)); }

v1::Task ViewRow(const TaskRow& row) {
  v1::Task view;
  view.set_name(row.name);
  view.set_key(row.key);
  view.set_kind(std::string(KindOfTaskKey(row.key)));
  view.set_state(ToProto(row.state));
  view.set_attempts(row.attempt);
  view.set_worker(row.worker);
  if (row.state == TaskState::kLeased) {
    *view.mutable_lease_expire_time() = bitwright::ToProto(TimeFromMicros(row.lease_expiry_micros));
  }
  view.set_seconds(row.seconds);
  view.set_cached(row.cached);
  if (!row.error.empty() && !view.mutable_error()->ParseFromString(row.error)) view.clear_error();
  view.set_digest(row.digest);
  return view;
}

v1::Task ViewTask(const Core& core, const LiveTask& task) {
  v1::Task view = ViewRow(task.row);
  if (!task.digest.empty()) view.set_digest(task.digest);
  if (task.began) *view.mutable_start_time() = bitwright::ToProto(*task.began);
  if (task.row.state == TaskState::kLeased) {
    view.set_progress(task.progress);
    const std::optional<MonotonicTime> end =
        core.fleet == nullptr ? std::nullopt : core.fleet->LeaseEndOf(task.row.name);
    if (end) *view.mutable_lease_expire_time() = bitwright::ToProto(WallTime(core, *end));
  }
  if (task.row.state == TaskState::kReady && task.not_before > core.clock.Monotonic()) {
    *view.mutable_retry_time() = bitwright::ToProto(WallTime(core, task.not_before));
  }
  return view;
}

std::vector<v1::Task> ViewTasks(const Core& core, const Owner& owner, const std::string& after, int limit) {
  std::vector<v1::Task> views;
  for (auto it = owner.by_key.upper_bound(after); it != owner.by_key.end(); ++it) {
    if (static_cast<int>(views.size()) == limit) break;
    views.push_back(ViewTask(core, owner.tasks[it->second]));
  }
  return views;
}

}  // namespace bitwright::server
