#include "workers/agent/agent.h"

#include <grpcpp/channel.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "proto/base/clock.h"
#include "proto/base/errors.h"
#include "proto/base/host_name.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/reasons.h"
#include "proto/transfer/channel.h"
#include "proto/transfer/retry_policy.h"
#include "workers/agent/blob_cache.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/child_slot.h"
#include "workers/agent/local_blobs.h"
#include "workers/agent/task_runner.h"
#include "workers/agent/work_dir.h"
#include "workers/agent/worker_client.h"

namespace bitwright::worker {
namespace {

constexpr absl::Duration kLongPoll = absl::Seconds(20);
constexpr absl::Duration kDrainPause = absl::Seconds(1);

v1::WorkerCapacity Capacity(const AgentOptions& options) {
  v1::WorkerCapacity capacity;
  capacity.set_cores(options.threads);
  capacity.set_memory_bytes(options.memory_bytes);
  capacity.set_compute_class(options.compute_class);
  capacity.set_device("cpu");
  capacity.set_code_version(options.code_version);
  capacity.set_host(HostName());
  capacity.set_process_id(::getpid());
  capacity.set_slots(1);
  return capacity;
}

}  // namespace

class Agent::Impl {
 public:
  explicit Impl(AgentOptions options)
      : options_(std::move(options)),
        channel_(OpenChannel(options_.server)),
        client_(channel_, Capacity(options_)),
        blobs_(channel_),
        children_({options_.child_program, options_.compute_class}) {}

  absl::Status Run() {
    ABSL_ASSIGN_OR_RETURN(WorkDir work_dir, WorkDir::Open(options_.work_dir));
    ABSL_ASSIGN_OR_RETURN(const std::unique_ptr<InputSource> inputs, OpenInputs(work_dir));
    TaskRunner runner(work_dir, *inputs, blobs_, children_, options_.threads, options_.memory_limit_bytes);
    const absl::Status registered = client_.Register(stop_);
    if (!registered.ok()) return stop_.cancelled() ? absl::OkStatus() : registered;
    std::thread heartbeats([this] { SendHeartbeats(); });
    const absl::Status status = LeaseAndRun(runner);
    stop_.Cancel();
    heartbeats.join();
    children_.End();
    client_.Deregister().IgnoreError();  // the server notices anyway
    return status;
  }

  void Stop() { stop_.Cancel(); }
  int child_pid() const { return children_.pid(); }

 private:
  absl::StatusOr<std::unique_ptr<InputSource>> OpenInputs(const WorkDir& work_dir) {
    if (!options_.blob_dir.empty()) return std::make_unique<LocalBlobs>(options_.blob_dir);
    ABSL_ASSIGN_OR_RETURN(std::unique_ptr<BlobCache> cache,
                          BlobCache::Open(work_dir.CachePath(), options_.cache_bytes, blobs_));
    return std::unique_ptr<InputSource>(std::move(cache));
  }

  absl::Status LeaseAndRun(TaskRunner& runner) {
    int failures = 0;
    while (!stop_.cancelled()) {
      children_.EndIfIdle(clock_.Monotonic(), options_.child_idle_limit);
      if (draining()) {
        stop_.WaitFor(kDrainPause);
        continue;
      }
      const absl::Duration wait =
          std::min(kLongPoll, children_.UntilIdle(clock_.Monotonic(), options_.child_idle_limit));
      auto response = client_.Lease(wait, stop_);
      if (stop_.cancelled()) break;
      if (!response.ok()) {
        LOG(WARNING) << "no lease: " << response.status();
        stop_.WaitFor(kWorkerRetries.Delay(failures++, 0));
        continue;
      }
      failures = 0;
      if (response->has_lease()) RunLease(runner, std::move(*response->mutable_lease()));
    }
    return absl::OkStatus();
  }

  void RunLease(TaskRunner& runner, v1::Lease lease) {
    const auto task = std::make_shared<HeldTask>();
    task->lease = std::move(lease);
    SetHeld(task);
    {
      const CancelToken::Registration registration(stop_, [&] { task->cancel.Cancel(); });
      const TaskOutcome outcome = runner.Run(*task);
      if (!task->cancel.cancelled()) HandIn(*task, outcome);
    }
    SetHeld(nullptr);
  }

  void HandIn(HeldTask& task, const TaskOutcome& outcome) {
    absl::Status status;
    if (outcome.error.ok()) {
      status = client_.Complete(task.lease, outcome.result, task.cancel);
      if (ErrorReason(status) == Reason::kBlobMissing) status = client_.Fail(task.lease, status, true, task.cancel);
    } else {
      LOG(WARNING) << task.lease.task() << " (" << task.lease.spec().kind() << ") failed"
                   << (outcome.machinery ? ", not by its own fault" : "") << ": " << outcome.error;
      status = client_.Fail(task.lease, outcome.error, outcome.machinery, task.cancel);
    }
    if (!status.ok()) LOG(WARNING) << task.lease.task() << " could not be handed in: " << status;
  }

  void SendHeartbeats() {
    while (!stop_.WaitFor(client_.heartbeat_interval())) {
      const std::shared_ptr<HeldTask> task = held();
      std::vector<v1::HeartbeatRequest::Running> running;
      if (task != nullptr) {
        auto& one = running.emplace_back();
        one.set_task(task->lease.task());
        one.set_fencing_token(task->lease.fencing_token());
        one.set_progress(task->progress);
      }
      const auto response = client_.Heartbeat(running, stop_);
      if (response.ok()) Obey(*response, task.get());
    }
  }

  void Obey(const v1::HeartbeatResponse& response, HeldTask* task) {
    const auto& lost = response.lost();
    if (task != nullptr && std::find(lost.begin(), lost.end(), task->lease.task()) != lost.end()) {
      LOG(INFO) << task->lease.task() << " is no longer this worker's: stopped";
      task->cancel.Cancel();
    }
    children_.EndUnlessLive({response.live_owners().begin(), response.live_owners().end()});
    absl::MutexLock lock(&mutex_);
    draining_ = response.drain();
  }

  std::shared_ptr<HeldTask> held() const {
    absl::MutexLock lock(&mutex_);
    return held_;
  }
  void SetHeld(std::shared_ptr<HeldTask> task) {
    absl::MutexLock lock(&mutex_);
    held_ = std::move(task);
  }
  bool draining() const {
    absl::MutexLock lock(&mutex_);
    return draining_;
  }

  const AgentOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  WorkerClient client_;
  BlobClient blobs_;
  ChildSlot children_;
  const SystemClock clock_;
  CancelToken stop_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<HeldTask> held_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
};

Agent::Agent(AgentOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Agent::~Agent() = default;
absl::Status Agent::Run() { return impl_->Run(); }
void Agent::Stop() { impl_->Stop(); }
int Agent::child_pid() const { return impl_->child_pid(); }

}  // namespace bitwright::worker
