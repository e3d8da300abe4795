#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/scheduler/fleet.h"
#include "server/scheduler/owner.h"
#include "server/scheduler/task_state.h"

namespace bitwright::server {

// Unfinished models and jobs with their tasks, and the workers that run them: all that the scheduler remembers of the
// work, with the indexes that follow from it. Knows no store, clock or client. Plain data: the scheduler's lock guards
// it.
class TaskBoard {
 public:
  struct Place {
    Owner* owner = nullptr;
    LiveTask* task = nullptr;
  };

  // `owner` has no tasks yet.
  Owner& Add(std::unique_ptr<Owner> owner);
  Owner* FindOwner(const std::string& name);  // null: unknown
  // Forgets the owner with its tasks; those that are leased run no more.
  void Remove(Owner& owner);
  const std::map<std::string, std::unique_ptr<Owner>>& owners() const { return owners_; }

  // Appends a task, whose row has its name, key and state.
  void AddTask(Owner& owner, LiveTask task);
  std::optional<Place> Find(const std::string& task);
  // The task while it is LEASED under this token.
  std::optional<Place> FindLease(const std::string& task, int64_t token);

  // The row as it is stored by now. What runs where follows from its state.
  void SetRow(LiveTask& task, TaskRow row);
  // A step that is never stored: WAITING to READY.
  void SetReady(LiveTask& task, MonotonicTime now);

  // Whether an equal task runs.
  bool Runs(const std::string& digest) const { return running_.contains(digest); }
  // Grows whenever a task may have become ready to lease.
  int64_t ready_changes() const { return ready_changes_; }

  Fleet& fleet() { return fleet_; }
  const Fleet& fleet() const { return fleet_; }

 private:
  void Leave(const LiveTask& task);
  void Enter(const LiveTask& task);

  struct Index {
    Owner* owner = nullptr;
    size_t position = 0;
  };
  std::map<std::string, std::unique_ptr<Owner>> owners_;
  std::unordered_map<std::string, Index> tasks_;          // by task name
  std::unordered_map<std::string, std::string> running_;  // digest → name of the task that is LEASED
  Fleet fleet_;
  int64_t ready_changes_ = 0;
};

}  // namespace bitwright::server
