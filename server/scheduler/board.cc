#include "server/scheduler/board.h"

#include <utility>

namespace bitwright::server {

Owner& TaskBoard::Add(std::unique_ptr<Owner> owner) {
  owner->id = next_id_++;
  if (owner->job() != nullptr) ++jobs_;
  std::unique_ptr<Owner>& slot = owners_[owner->name];
  slot = std::move(owner);
  return *slot;
}

Owner* TaskBoard::FindOwner(const std::string& name) {
  const auto it = owners_.find(name);
  return it == owners_.end() ? nullptr : it->second.get();
}

const Owner* TaskBoard::FindOwner(const std::string& name) const {
  const auto it = owners_.find(name);
  return it == owners_.end() ? nullptr : it->second.get();
}

void TaskBoard::Count(Owner& owner, const LiveTask& task, int sign) {
  states_[static_cast<size_t>(task.row.state)] += sign;
  if (sign > 0) {
    owner.tally.Add(task);
  } else {
    owner.tally.Take(task);
  }
}

void TaskBoard::Remove(Owner& owner) {
  for (const LiveTask& task : owner.tasks) {
    states_[static_cast<size_t>(task.row.state)] -= 1;
    tasks_.erase(task.row.name);
  }
  if (owner.job() != nullptr) --jobs_;
  owners_.erase(std::string(owner.name));
}

void TaskBoard::AddTask(Owner& owner, LiveTask task) {
  tasks_[task.row.name] = {&owner, owner.tasks.size()};
  owner.by_key[task.node.key] = owner.tasks.size();
  owner.tasks.push_back(std::move(task));
  Count(owner, owner.tasks.back(), 1);
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

void TaskBoard::SetRow(Owner& owner, LiveTask& task, TaskRow row) {
  Count(owner, task, -1);
  task.row = std::move(row);
  task.stored = task.row.state;
  Count(owner, task, 1);
}

void TaskBoard::Move(Owner& owner, LiveTask& task, TaskEvent event) {
  Count(owner, task, -1);
  MoveTask(task.row, event);
  Count(owner, task, 1);
}

void TaskBoard::SetProgress(Owner& owner, LiveTask& task, double progress) {
  Count(owner, task, -1);
  task.progress = progress;
  Count(owner, task, 1);
}

std::vector<std::string> TaskBoard::Vacate(const Owner& owner, const LiveTask& task) {
  const std::string key = KeyOf(owner, task);
  const auto it = running_.find(key);
  if (it == running_.end() || it->second != task.row.name) return {};
  running_.erase(it);
  auto blocked = blocked_.extract(key);
  return blocked ? std::move(blocked.mapped()) : std::vector<std::string>();
}

void TaskBoard::Block(Owner& owner, LiveTask& task) {
  Count(owner, task, -1);
  task.blocked_on = task.digest;
  Count(owner, task, 1);
  blocked_[KeyOf(owner, task)].push_back(task.row.name);
}

void TaskBoard::Unblock(Owner& owner, LiveTask& task) {
  Count(owner, task, -1);
  task.blocked_on.clear();
  Count(owner, task, 1);
}

}  // namespace bitwright::server
