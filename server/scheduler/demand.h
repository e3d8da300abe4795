#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "server/scheduler/tally.h"

namespace bitwright::server {

struct Core;

// How many workers there is work for: asked by whoever starts and ends them, a cluster for instance.

// Workers that are alike, whether any is there or not.
struct WorkerPool {
  std::string device;         // "cpu"
  std::string compute_class;  // empty: they may have any of the device
  // Work that no compute class is settled for yet is theirs, too; of a job that asks for a device only that of theirs.
  bool counts_unpinned = true;
};

// Tasks that workers run at once beside small ones, such that all of these run: a worker runs one task, and beside it a
// small one. Pure.
int64_t PlacesFor(const TaskCounts& tasks);

// The tasks that workers of the pool run, and those that they could run now if there were enough of them, as places. A
// job or model between two tasks counts as a small one, so that its worker is not sent away for a moment. Counts
// nothing that waits for anything but a worker: a tenant's limit, an equal task that runs, the disk. Looks at all jobs
// and models in memory (window.h) and at all leases. FAILED_PRECONDITION, reason WORKERS_ELSEWHERE.
absl::StatusOr<int64_t> PlacesWanted(const Core& core, const WorkerPool& pool);

// Whom Subscribers calls when PlacesWanted may answer another number; no owner has this name.
inline constexpr char kDemand[] = "demand";
// Calls them twice a second.
void TellDemand(Core& core);

}  // namespace bitwright::server
