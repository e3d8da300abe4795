#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/workers.pb.h"
#include "server/scheduler/core.h"
#include "server/scheduler/demand.h"

namespace bitwright::server {

// Brings models through inspection and jobs through their tasks: expands, has them run by an executor, takes results,
// retries, ends. What it acknowledges is in the store first; its memory can be rebuilt from there (Start). Does not
// check requests (rpc/) nor create or list resources (resources/).
//
// A façade: each call is one step over Core under one lock, which waits for nothing. What is to be written goes to the
// store as a Change, what is to be read to a thread of its own, and comes back as another step. Calls that answer for
// something durable wait for that without the lock. Waiting workers and watchers are called back: no thread is held by
// one. Callbacks run on the thread that caused them, without any lock held. Time passes only in Tick. Thread-safe.
class Scheduler {
 public:
  // `elsewhere`: what runs the tasks in place of this server's own fleet; then workers are refused.
  Scheduler(Store& store, HeldBlobs& blobs, const Planner& planner, const Clock& clock, Metrics& metrics,
            SchedulerOptions options, std::unique_ptr<Executor> elsewhere = nullptr);
  ~Scheduler();  // when all that is under way has come back

  // Takes up what is unfinished in the store.
  absl::Status Start();
  // A model or job was just stored. Cannot fail: what there is no room for stays in the queue of the store, and what
  // cannot be read now is read again.
  void Arrived(const std::string& name, const std::string& tenant, int priority);
  // Waits, at most for `limit`, until nothing is under way for the model or job: then it has come as far as it comes
  // without a worker.
  void AwaitQuiet(const std::string& name, absl::Duration limit);
  // Waits until nothing is under way at all. For tests, and a drain.
  void Settle();

  // Runs `body` in a transaction; when that is OK the model or job, if it was unfinished, is forgotten, its running
  // tasks are lost and their outputs needed no more. For a model that is deleted: nothing of it can be written
  // afterwards.
  absl::Status Remove(const std::string& name, const std::function<absl::Status(Transaction&)>& body);

  // Moves a job to CANCELLED. OK and without effect when it is not unfinished. ABORTED, reason ETAG_MISMATCH: its etag
  // is another one than that given (empty: any).
  absl::Status CancelJob(const std::string& job, const std::string& etag = {});
  // An unfinished job of the tenant as it is now; nothing when it is not in memory (then the store's row is the truth).
  std::optional<v1::Job> LiveJob(const std::string& job, const std::string& tenant);

  // The same for a model that is being inspected.
  std::optional<v1::Model> LiveModel(const std::string& model, const std::string& tenant);
  // The tasks of an unfinished model or job, by key: at most `limit` of which each is greater than `after`. Nothing
  // when it is not in memory.
  std::optional<std::vector<v1::Task>> LiveTasks(const std::string& owner, const std::string& after, int limit);
  // One task of an unfinished model or job.
  std::optional<v1::Task> TaskNow(const std::string& task);

  // What an unfinished model or job waits for, if nothing of it runs.
  std::optional<v1::Notice> WaitingOf(const std::string& owner);

  // From now on the tenant may have so many jobs running; 0: any number. Those that run go on.
  void LimitTenant(const std::string& tenant, int64_t running_jobs);

  // Calls `on_change` after every change of the job or model (or deletion, or the begin of a drain) until Unsubscribe;
  // it may run once more while that is called.
  int64_t Subscribe(const std::string& owner, std::function<void()> on_change);
  void Unsubscribe(int64_t id);
  // Calls `on_look` twice a second, when PlacesWanted may answer another number, and when a drain begins, until
  // Unsubscribe.
  int64_t SubscribeToDemand(std::function<void()> on_look);
  // How many tasks these workers run or could run at once (demand.h). FAILED_PRECONDITION, reason WORKERS_ELSEWHERE.
  absl::StatusOr<int64_t> PlacesWanted(const WorkerPool& pool);

  // The calls of WorkerService, see workers.proto.
  absl::StatusOr<std::string> RegisterWorker(const v1::WorkerCapacity& capacity);
  // `done` runs exactly once: with a lease, with nothing after `max_wait`, or with an error. The result can be given to
  // CancelLease. A worker that asks with `small_only` runs one small task beside what it runs otherwise.
  int64_t LeaseTask(const std::string& worker, absl::Duration max_wait, LeaseDone done, bool small_only = false);
  void CancelLease(int64_t waiter);  // `done` runs with nothing, unless it ran already
  // A lease whose answer did not reach the worker: the task is put back as if it had not been leased.
  void ReturnLease(const v1::Lease& lease);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const v1::HeartbeatRequest& request);
  absl::Status CompleteTask(const v1::CompleteTaskRequest& request);
  absl::Status FailTask(const v1::FailTaskRequest& request);
  void DeregisterWorker(const std::string& worker);
  // By name, those after `after`, at most `limit`: workers seen since `seen_since`, and drained ones.
  std::vector<v1::Worker> ListWorkers(const std::string& after = {}, int limit = std::numeric_limits<int>::max(),
                                      absl::Time seen_since = absl::InfinitePast());

  // The calls of OperatorService about workers and tasks, see operator.proto.
  absl::StatusOr<v1::Worker> CordonWorker(const std::string& worker);
  absl::StatusOr<v1::Worker> UncordonWorker(const std::string& worker);
  absl::StatusOr<v1::Worker> DrainWorker(const std::string& worker);
  absl::Status RequeueTask(const std::string& task);

  // A local worker's process ended: its leases are released at once, as a machinery fault.
  void ReleaseProcess(const std::string& host, int process_id);
  // Whether none is to be started in its place: its worker was drained, and not uncordoned since.
  bool IsDismissed(const std::string& host, int process_id);

  // Ends expired leases and waits, lets backed-off tasks go, repeats steps that the store refused, tells what waits,
  // sets the gauges.
  void Tick();
  // No task is begun while there is a reason not to (a disk that fills up), which jobs then wait for; null: they are.
  void Pause(std::optional<v1::Notice> why);
  // Leases nothing more; waiting workers are sent away and subscribers called.
  void BeginDrain();
  bool draining();

  // Speed to estimate with, of a worker of that device (empty: of the fastest device that is there): measured on
  // finished tasks, or assumed, for a processor from the largest worker's cores.
  double FlopsPerSecond(std::string_view device);

  // Models as jobs use them.
  ModelCache& models() { return models_; }

 private:
  // The lock, with the calls that must run after it is released.
  class Section;
  using Step = std::function<void(Core&)>;

  void Resume(const Step& step);
  absl::Status WaitFor(const std::function<void(Core&, Answer)>& step);
  void Dispatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsQuiet(const std::string& name) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Settled() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return core_.under_way == 0; }

  Store& store_;
  const Clock& clock_;
  ModelCache models_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<WorkThreads> background_;
  absl::Mutex mutex_;
  Core core_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
