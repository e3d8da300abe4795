#include "server/scheduler/board.h"

#include <utility>

namespace bitwright::server {

Owner& TaskBoard::Add(std::unique_ptr<Owner> owner) {
  std::unique_ptr<Owner>& slot = owners_[owner->name];
  slot = std::move(owner);
  return *slot;
}

Owner* TaskBoard::FindOwner(const std::string& name) {
  const auto it = owners_.find(name);
  return it == owners_.end() ? nullptr : it->second.get();
}

void TaskBoard::Remove(Owner& owner) {
  for (const LiveTask& task : owner.tasks) {
    Leave(task);
    tasks_.erase(task.row.name);
  }
  ++ready_changes_;
  owners_.erase(std::string(owner.name));
}

void TaskBoard::AddTask(Owner& owner, LiveTask task) {
  tasks_[task.row.name] = {&owner, owner.tasks.size()};
  owner.by_key[task.node.key] = owner.tasks.size();
  owner.tasks.push_back(std::move(task));
  Enter(owner.tasks.back());
}

std::optional<TaskBoard::Place> TaskBoard::Find(const std::string& task) {
  const auto it = tasks_.find(task);
  if (it == tasks_.end()) return std::nullopt;
  return Place{it->second.owner, &it->second.owner->tasks[it->second.position]};
}

std::optional<TaskBoard::Place> TaskBoard::FindLease(const std::string& task, int64_t token) {
  const std::optional<Place> place = Find(task);
  const bool leased = place && place->task->row.state == TaskState::kLeased && place->task->row.fencing_token == token;
  return leased ? place : std::nullopt;
}

void TaskBoard::SetRow(LiveTask& task, TaskRow row) {
  Leave(task);
  task.row = std::move(row);
  Enter(task);
}

void TaskBoard::SetReady(LiveTask& task, MonotonicTime now) {
  MoveTask(task.row, TaskEvent::kSourcesDone);
  task.ready_since = now;
  Enter(task);
}

void TaskBoard::Leave(const LiveTask& task) {
  if (task.row.state != TaskState::kLeased) return;
  fleet_.Stopped(task.row.worker, task.row.name);
  if (const auto it = running_.find(task.row.digest); it != running_.end() && it->second == task.row.name) {
    running_.erase(it);
    ++ready_changes_;  // an equal task may have waited for this one
  }
}

void TaskBoard::Enter(const LiveTask& task) {
  if (task.row.state == TaskState::kReady) ++ready_changes_;
  if (task.row.state != TaskState::kLeased) return;
  running_[task.row.digest] = task.row.name;
  fleet_.Started(task.row.worker, task.row.name, {task.node.memory_bytes, task.node.small});
}

}  // namespace bitwright::server
