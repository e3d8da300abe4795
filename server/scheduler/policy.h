#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/base/clock.h"

namespace bitwright::server {

// A task that could run now.
struct ReadyTask {
  std::string task;    // "tasks/{id}"
  std::string owner;   // job or model that it belongs to
  std::string tenant;  // fair share is between these
  int priority = 0;    // of the job, higher first
  absl::Time owner_create_time;
  MonotonicTime not_before;  // back-off after a failed attempt
  int64_t memory_bytes = 0;  // estimate
  double cost_flops = 0;
  bool numeric = false;
  bool small = false;        // of seconds and little memory
  std::string pinned_class;  // compute class of the owner's earlier numeric tasks; empty: not pinned yet
  std::string pinned_code;   // code version, likewise
};

// The worker that asks.
struct AskingWorker {
  std::string compute_class;
  std::string code_version;
  int64_t memory_bytes = 0;  // free for the next task
  bool small_only = false;   // it asks for a small task, and takes no other
  bool small_lane = false;   // small tasks have memory of their own
};

struct RunningShare {
  std::string tenant;
  int running_tasks = 0;
};

struct PolicySnapshot {
  MonotonicTime now;
  std::vector<ReadyTask> ready;
  std::vector<RunningShare> shares;
};

// Whether the worker may run the task, its back-off aside: class and code pinned to this worker's or not pinned, memory
// fits, small if only such are asked for. Pure.
bool MayRun(const ReadyTask& task, const AskingWorker& worker);

// Index into snapshot.ready of the task to lease to this worker; nothing when none fits. Pure.
// Order among those that it may run and whose back-off is over (small ones are given to whoever asks): priority; then
// the tenant with fewer running tasks; then the older owner; then the larger cost; then the name. A task too large for
// every worker is the caller's to notice (it would never be picked).
std::optional<size_t> PickTask(const PolicySnapshot& snapshot, const AskingWorker& worker);

// Pause before attempt `attempt` (2, 3 …) after a machinery fault: 1 s, 5 s, then 25 s.
absl::Duration RetryDelay(int attempt);

}  // namespace bitwright::server
