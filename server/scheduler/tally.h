#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "server/jobs/job_graph.h"
#include "server/store/store.h"

namespace bitwright::server {

struct LiveTask;

inline constexpr size_t kTaskStates = 6;
using StateCounts = std::array<int64_t, kTaskStates>;  // by TaskState

// Tasks, those that are small apart.
struct TaskCounts {
  int64_t large = 0;
  int64_t small = 0;

  void Add(bool is_small, int64_t count) { (is_small ? small : large) += count; }
  void Add(const TaskCounts& more) {
    large += more.large;
    small += more.small;
  }
  friend bool operator==(const TaskCounts&, const TaskCounts&) = default;
};

// What an owner's tasks come to, kept as they change: to show how far a job is costs its kinds of tasks, not its tasks.
// Plain data.
class Tally {
 public:
  struct Kind {
    std::string kind;  // TaskSpec.kind
    int tasks = 0;
    int running = 0;
    int finished = 0;
    int cached = 0;
    double seconds = 0;   // of the finished ones
    double progress = 0;  // sum over the running ones of how far each is, 0..1
    double done = 0;      // weight of what is done
  };

  // Counts the task, or no longer, as it is now: around each change of its row, result, progress or
  // what it is blocked on.
  void Add(const LiveTask& task) { Count(task, 1); }
  void Take(const LiveTask& task) { Count(task, -1); }

  const std::vector<Kind>& kinds() const { return kinds_; }  // in order of first appearance
  int64_t count(TaskState state) const { return states_[static_cast<size_t>(state)]; }
  const StateCounts& states() const { return states_; }
  double done() const;  // weight of all that is done
  // READY, and not waiting for an equal task that runs; small ones apart.
  const TaskCounts& could_run() const { return could_run_; }

 private:
  void Count(const LiveTask& task, int sign);
  Kind& Of(const std::string& kind);

  std::vector<Kind> kinds_;
  StateCounts states_{};
  TaskCounts could_run_;
};

}  // namespace bitwright::server
