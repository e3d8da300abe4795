#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/scheduler/owner.h"
#include "server/scheduler/task_state.h"

namespace bitwright::server {

// The models and jobs in memory with their tasks, and the indexes that follow from them. Knows no store, clock or
// client. Plain data: the scheduler's lock guards it.
class TaskBoard {
 public:
  struct Place {
    Owner* owner = nullptr;
    LiveTask* task = nullptr;
  };

  // `owner` has no tasks yet; it gets its id.
  Owner& Add(std::unique_ptr<Owner> owner);
  Owner* FindOwner(const std::string& name);  // null: not in memory
  const Owner* FindOwner(const std::string& name) const;
  // Forgets the owner with its tasks.
  void Remove(Owner& owner);
  const std::map<std::string, std::unique_ptr<Owner>>& owners() const { return owners_; }

  // Appends a task, whose row has its name, key and state.
  void AddTask(Owner& owner, LiveTask task);
  std::optional<Place> Find(const std::string& task);
  // The task while it is LEASED under this token.
  std::optional<Place> FindLease(const std::string& task, int64_t token);

  // The row as it is stored by now. What runs where follows from its state.
  void SetRow(Owner& owner, LiveTask& task, TaskRow row);
  // Steps that are never stored: between WAITING and READY.
  void Move(Owner& owner, LiveTask& task, TaskEvent event);
  void SetProgress(Owner& owner, LiveTask& task, double progress);

  // A task runs, or is about to, under its digest: equal ones of its tenant wait for it. Those of other tenants do not:
  // nobody is to learn, by how soon his own is done, what others run.
  void Occupy(const Owner& owner, const LiveTask& task) { running_[KeyOf(owner, task)] = task.row.name; }
  // It does no longer; the names of those that waited for it.
  std::vector<std::string> Vacate(const Owner& owner, const LiveTask& task);
  bool Runs(const Owner& owner, const LiveTask& task) const { return running_.contains(KeyOf(owner, task)); }
  void Block(Owner& owner, LiveTask& task);  // until the equal task has vacated
  void Unblock(Owner& owner, LiveTask& task);

  const StateCounts& states() const { return states_; }
  int64_t jobs() const { return jobs_; }
  int64_t models() const { return static_cast<int64_t>(owners_.size()) - jobs_; }

 private:
  void Count(Owner& owner, const LiveTask& task, int sign);
  // What equal tasks have in common: a digest has a fixed length.
  static std::string KeyOf(const Owner& owner, const LiveTask& task) { return task.digest + owner.tenant(); }

  struct Index {
    Owner* owner = nullptr;
    size_t position = 0;
  };
  std::map<std::string, std::unique_ptr<Owner>> owners_;
  std::unordered_map<std::string, Index> tasks_;                       // by task name
  std::unordered_map<std::string, std::string> running_;               // KeyOf → name of the task
  std::unordered_map<std::string, std::vector<std::string>> blocked_;  // KeyOf → names of tasks
  StateCounts states_{};
  int64_t jobs_ = 0;
  int64_t next_id_ = 1;
};

}  // namespace bitwright::server
