#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/clock.h"
#include "server/blobs/catalog.h"
#include "server/observe/metrics.h"
#include "server/scheduler/fleet.h"
#include "server/scheduler/owner.h"
#include "server/scheduler/planner.h"
#include "server/store/store.h"

namespace bitwright::server {

struct SchedulerOptions {
  absl::Duration lease_ttl = absl::Seconds(10);     // told to workers; they renew every third of it
  absl::Duration lease_grace = absl::Seconds(10);   // beyond the ttl, before the task is given to another
  absl::Duration worker_memory = absl::Minutes(1);  // a worker not seen for this long is forgotten
  absl::Duration pin_patience = absl::Minutes(10);  // how long a pinned job waits for a worker of its class
  std::string host;  // this machine's name as workers give it; leases of before a start end with its processes
};

// Brings models through inspection and jobs through their tasks: expands, leases, takes results, retries, ends. What it
// acknowledges is in the store first; its memory can be rebuilt from there (Start). Does not check requests (rpc/) nor
// create or list resources (catalog/).
//
// All waiting is by callback: no thread is held by a waiting worker or watcher. Callbacks run on the thread that caused
// them, without any lock held. Time passes only in Tick. Thread-safe.
class Scheduler {
 public:
  Scheduler(Store& store, BlobCatalog& blobs, const Planner& planner, const Clock& clock, Metrics& metrics,
            SchedulerOptions options);
  ~Scheduler();

  // Takes up every unfinished model and job of the store.
  absl::Status Start();
  // Takes up one model or job that was just stored.
  absl::Status Adopt(const std::string& owner);

  // Runs `body` in a transaction; when that is OK the owner, if it was unfinished, is forgotten and its running tasks
  // are lost. For a model that is deleted: nothing of it can be written afterwards.
  absl::Status Remove(const std::string& owner, const std::function<absl::Status(Transaction&)>& body);

  // Moves a job to CANCELLED. OK and without effect when it is not unfinished.
  absl::Status CancelJob(const std::string& job);
  // An unfinished job as it is now; nothing when it is not unfinished (then the store's row is the truth).
  std::optional<v1::Job> LiveJob(const std::string& job);

  // Calls `on_change` after every change of the job or model (or deletion, or the begin of a drain) until Unsubscribe;
  // it may run once more while that is called.
  int64_t Subscribe(const std::string& owner, std::function<void()> on_change);
  void Unsubscribe(int64_t id);

  // The calls of WorkerService, see workers.proto.
  std::string RegisterWorker(const v1::WorkerCapacity& capacity);
  using LeaseDone = std::function<void(absl::StatusOr<std::optional<v1::Lease>>)>;
  // `done` runs exactly once: with a lease, with nothing after `max_wait_micros`, or with an error. The result can be
  // given to CancelLease.
  int64_t LeaseTask(const std::string& worker, absl::Duration max_wait, LeaseDone done);
  void CancelLease(int64_t waiter);  // `done` runs with nothing, unless it ran already
  // A lease whose answer did not reach the worker: the task is put back as if it had not been leased.
  void ReturnLease(const v1::Lease& lease);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request);
  absl::Status CompleteTask(const v1::CompleteTaskRequest& request);
  absl::Status FailTask(const v1::FailTaskRequest& request);
  void DeregisterWorker(const std::string& worker);
  std::vector<v1::Worker> ListWorkers();

  // A local worker's process ended: its leases are released at once, as a machinery fault.
  void ReleaseProcess(const std::string& host, int process_id);

  // Ends expired leases and waits, lets backed-off tasks go, repeats steps that the store refused, sets the gauges.
  void Tick();
  // Leases nothing more; waiting workers are sent away and subscribers called.
  void BeginDrain();
  bool draining();

  // Speed to estimate with: measured on finished tasks, or assumed from the largest worker's cores.
  double FlopsPerSecond();

 private:
  struct Waiter {
    std::string worker;
    int64_t deadline_micros = 0;
    LeaseDone done;
  };
  struct TaskPlace {
    Owner* owner = nullptr;
    size_t index = 0;
  };
  // The lock, with calls that must run after it is released.
  class Section;

  // progress.cc
  absl::Status AdoptLocked(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadModel(Owner& owner, Snapshot& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadJob(Owner& owner, Snapshot& snapshot) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Does everything that follows from the finished tasks: reads facts, expands, makes tasks ready, ends the owner. The
  // owner may be gone afterwards.
  void Advance(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status TryAdvance(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<bool> ReadFacts(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AddNodes(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddTask(Owner& owner, TaskNode node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Restore(LiveTask& task, TaskRow row) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeReady(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // ending.cc
  struct Ending {
    std::optional<ModelRow> model;
    std::optional<JobRow> job;
    std::vector<BlobDigest> kept;  // blobs that the owner names from now on
  };
  absl::Status FinishModel(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FinishJob(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the owner with an error; it is gone afterwards. When the store refuses, it stays, stuck.
  absl::Status Fail(Owner& owner, const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes the end and forgets the owner.
  absl::Status End(Owner& owner, const Ending& ending) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // leasing.cc
  // Serves waiting workers as long as something fits.
  void Pump() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<v1::Lease>> TryLease(Fleet::Member& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends the task from the action cache if it can. True: it did.
  absl::StatusOr<bool> TryCache(Owner& owner, LiveTask& task, const std::string& digest,
                                const v1::WorkerCapacity& asker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<v1::Lease> Grant(Owner& owner, LiveTask& task, Fleet::Member& worker, v1::TaskSpec spec,
                                  const std::string& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<TaskPlace> Pick(const Fleet::Member& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Fails owners with a ready task that no worker has the memory for.
  void FailTooLarge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Fails jobs whose pinned class and code no worker has had for too long, though there are workers.
  void FailUnmatched() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A model whose files were inspected before is ready before its creation returns.
  void InspectFromCache(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // results.cc
  LiveTask* LeasedTask(const std::string& name, int64_t token, Owner** owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LateResult(const std::string& name, int64_t token, const std::string& result)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts a leased task back after a machinery fault, or fails the owner after the last attempt.
  absl::Status Retry(Owner& owner, LiveTask& task, const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Puts a leased task back as if it had not been leased.
  absl::Status PutBack(Owner& owner, LiveTask& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StopRunning(const LiveTask& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReleaseWorker(const std::string& worker, const absl::Status* fault) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ExpireLeases() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Leased, before a restart of the server, to a process of this machine that has ended since: put back at once, and
  // no attempt is counted, as it ended with the server.
  bool IsOrphan(const LiveTask& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  void Changed(Owner& owner) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SetGauges() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  BlobCatalog& blobs_;
  const Planner& planner_;
  const Clock& clock_;
  Metrics& metrics_;
  const SchedulerOptions options_;

  absl::Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::unique_ptr<Owner>> owners_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, TaskPlace> tasks_ ABSL_GUARDED_BY(mutex_);      // by task name
  std::unordered_map<std::string, std::string> running_ ABSL_GUARDED_BY(mutex_);  // digest -> task name
  Fleet fleet_ ABSL_GUARDED_BY(mutex_);
  std::map<int64_t, Waiter> waiters_ ABSL_GUARDED_BY(mutex_);  // in order of arrival
  std::map<int64_t, std::pair<std::string, std::function<void()>>> subscribers_ ABSL_GUARDED_BY(mutex_);
  int64_t advances_ ABSL_GUARDED_BY(mutex_) = 0;  // grows whenever tasks may have become ready
  int64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  double measured_flops_ ABSL_GUARDED_BY(mutex_) = 0;
  double measured_seconds_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::function<void()>> after_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
