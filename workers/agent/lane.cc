#include "workers/agent/lane.h"

#include <algorithm>
#include <utility>

#include "proto/base/errors.h"
#include "proto/base/failpoint.h"
#include "proto/base/log.h"
#include "proto/contract/reasons.h"
#include "proto/transfer/retry_policy.h"

namespace bitwright::worker {
namespace {

constexpr absl::Duration kLongPoll = absl::Seconds(20);
constexpr absl::Duration kDrainPause = absl::Seconds(1);

}  // namespace

Lane::Lane(LaneOptions options, WorkerClient& client, BlobClient& blobs, WorkDir& work_dir, InputSource& inputs,
           const CancelToken& stop, CancelToken& leave)
    : options_(std::move(options)),
      client_(client),
      stop_(stop),
      leave_(leave),
      children_(options_.child),
      runner_(work_dir, {options_.child.inputs, options_.child.outputs}, inputs, blobs, children_, options_.threads,
              options_.memory_limit_bytes) {}

void Lane::Run() {
  int failures = 0;
  while (!stop_.cancelled() && !leave_.cancelled()) {
    children_.EndIfIdle(clock_.Monotonic(), options_.child_idle_limit);
    if (draining()) {
      stop_.WaitFor(kDrainPause);
      continue;
    }
    const absl::Duration wait = std::min(kLongPoll, children_.UntilIdle(clock_.Monotonic(), options_.child_idle_limit));
    auto response = client_.Lease(wait, options_.small_only, stop_);
    if (stop_.cancelled()) break;
    if (ErrorReason(response.status()) == Reason::kWorkerDrained) {
      LOG(INFO) << response.status().message();
      leave_.Cancel();
      break;
    }
    if (!response.ok()) {
      LOG(WARNING) << "no lease: " << response.status();
      stop_.WaitFor(kWorkerRetries.Delay(failures++, 0));
      continue;
    }
    failures = 0;
    if (response->has_lease()) RunLease(std::move(*response->mutable_lease()));
  }
  children_.End();
}

void Lane::RunLease(v1::Lease lease) {
  Failpoint("agent.leased");
  const auto task = std::make_shared<HeldTask>();
  task->lease = std::move(lease);
  SetHeld(task);
  {
    const CancelToken::Registration registration(stop_, [&] { task->cancel.Cancel(); });
    TaskOutcome outcome = runner_.Run(*task);
    if (!task->cancel.cancelled()) HandIn(*task, std::move(outcome));
  }
  SetHeld(nullptr);
}

void Lane::HandIn(HeldTask& task, TaskOutcome outcome) {
  if (absl::Status replaced = options_.libraries->Check(); !replaced.ok()) outcome = {std::move(replaced), true, {}};
  absl::Status status;
  Failpoint("agent.before_report");
  if (outcome.error.ok()) {
    status = client_.Complete(task.lease, outcome.result, task.cancel);
    if (ErrorReason(status) == Reason::kBlobMissing) status = client_.Fail(task.lease, status, true, task.cancel);
    if (ErrorReason(status) == Reason::kResultTooLarge) status = client_.Fail(task.lease, status, false, task.cancel);
  } else {
    LOG(WARNING) << task.lease.task() << " (" << task.lease.spec().kind() << ") failed"
                 << (outcome.machinery ? ", not by its own fault" : "") << ": " << outcome.error;
    status = client_.Fail(task.lease, outcome.error, outcome.machinery, task.cancel);
  }
  Failpoint("agent.reported");
  if (!status.ok()) LOG(WARNING) << task.lease.task() << " could not be handed in: " << status;
}

void Lane::AddTo(v1::HeartbeatRequest& request) const {
  if (std::string owner = children_.owner(); !owner.empty()) request.add_owners(std::move(owner));
  const std::shared_ptr<HeldTask> task = held();
  if (task == nullptr) return;
  auto& one = *request.add_running();
  one.set_task(task->lease.task());
  one.set_fencing_token(task->lease.fencing_token());
  one.set_progress(task->progress);
}

void Lane::Obey(const v1::HeartbeatResponse& response) {
  const std::shared_ptr<HeldTask> task = held();
  const auto& lost = response.lost();
  if (task != nullptr && std::find(lost.begin(), lost.end(), task->lease.task()) != lost.end()) {
    LOG(INFO) << task->lease.task() << " is no longer this worker's: stopped";
    task->cancel.Cancel();
  }
  children_.EndIfOver({response.ended_owners().begin(), response.ended_owners().end()});
  absl::MutexLock lock(&mutex_);
  draining_ = response.drain();
}

std::shared_ptr<HeldTask> Lane::held() const {
  absl::MutexLock lock(&mutex_);
  return held_;
}

void Lane::SetHeld(std::shared_ptr<HeldTask> task) {
  absl::MutexLock lock(&mutex_);
  held_ = std::move(task);
}

bool Lane::draining() const {
  absl::MutexLock lock(&mutex_);
  return draining_;
}

}  // namespace bitwright::worker
