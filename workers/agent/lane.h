#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/child_slot.h"
#include "workers/agent/input_source.h"
#include "workers/agent/loaded_files.h"
#include "workers/agent/task_runner.h"
#include "workers/agent/work_dir.h"
#include "workers/agent/worker_client.h"

namespace bitwright::worker {

struct LaneOptions {
  bool small_only = false;  // leases small tasks alone
  int threads = 1;
  int64_t memory_limit_bytes = 0;  // that its child is held to; 0: none
  absl::Duration child_idle_limit;
  ChildOptions child;  // with the lane's folders
  // Outlives the lane. Nothing is handed in that a child may have made with other libraries.
  const LibraryWatch* libraries = nullptr;
};

// One task at a time: leases it, runs it in a child of its own, hands it in. An agent has one lane for all tasks and
// one for small tasks, which so never wait behind long ones. Run on one thread; the rest from any.
class Lane {
 public:
  // Keeps references to all but the options.
  Lane(LaneOptions options, WorkerClient& client, BlobClient& blobs, WorkDir& work_dir, InputSource& inputs,
       const CancelToken& stop, CancelToken& leave);

  // Until `stop`, which abandons a running task, or `leave`, before which that is finished; cancels `leave` when the
  // server wants the worker to go (WORKER_DRAINED). Ends the child. Call once.
  void Run();

  // What a heartbeat says of this lane: its task and the owner of its child, if it holds any.
  void AddTo(v1::HeartbeatRequest& request) const;
  // What the server answered to that.
  void Obey(const v1::HeartbeatResponse& response);

  int child_pid() const { return children_.pid(); }

 private:
  void RunLease(v1::Lease lease);
  void HandIn(HeldTask& task, TaskOutcome outcome);
  std::shared_ptr<HeldTask> held() const;
  void SetHeld(std::shared_ptr<HeldTask> task);
  bool draining() const;

  const LaneOptions options_;
  WorkerClient& client_;
  const CancelToken& stop_;
  CancelToken& leave_;
  const SystemClock clock_;
  ChildSlot children_;
  TaskRunner runner_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<HeldTask> held_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace bitwright::worker
