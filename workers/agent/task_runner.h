#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/child_slot.h"
#include "workers/agent/input_source.h"
#include "workers/agent/work_dir.h"

namespace bitwright::worker {

// A task that this worker holds. Shared between the running and the heartbeat thread.
struct HeldTask {
  v1::Lease lease;
  CancelToken cancel;  // the lease is lost or the agent stops: end the work, hand nothing in
  std::atomic<double> progress{0};
};

// What came of a task.
struct TaskOutcome {
  absl::Status error;      // OK: result is set
  bool machinery = false;  // of the error: this machine's fault, not the task's
  v1::TaskResult result;
};

// Runs leased tasks one after the other: links inputs, runs the child, uploads outputs, cleans up. Not thread-safe.
class TaskRunner {
 public:
  // Keeps references to all but `dirs`. `memory_limit_bytes` 0: none.
  TaskRunner(WorkDir& work_dir, LaneDirs dirs, InputSource& inputs, BlobClient& blobs, ChildSlot& children, int threads,
             int64_t memory_limit_bytes)
      : work_dir_(work_dir),
        lane_dirs_(std::move(dirs)),
        inputs_(inputs),
        blobs_(blobs),
        children_(children),
        threads_(threads),
        memory_limit_bytes_(memory_limit_bytes) {}

  // The child's own error event is the task's fault, unless it is about this machine's files, disk or memory. All else
  // that goes wrong is the machinery's.
  TaskOutcome Run(HeldTask& task);

 private:
  absl::StatusOr<v1::TaskResult> RunIn(const TaskDirs& dirs, HeldTask& task, bool& own_fault);
  // `linked`: files to which links in dirs.inputs lead.
  absl::StatusOr<v1::ExecuteEvent> Execute(const TaskDirs& dirs, const std::vector<std::string>& linked,
                                           HeldTask& task);
  absl::StatusOr<v1::TaskResult> HandIn(const TaskDirs& dirs, const v1::ExecuteResult& executed,
                                        const CancelToken& cancel);

  WorkDir& work_dir_;
  const LaneDirs lane_dirs_;
  InputSource& inputs_;
  BlobClient& blobs_;
  ChildSlot& children_;
  const int threads_;
  const int64_t memory_limit_bytes_;
  const SystemClock clock_;
};

}  // namespace bitwright::worker
