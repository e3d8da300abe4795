#include "server/scheduler/scheduler.h"

#include <array>
#include <utility>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "server/scheduler/action_cache.h"
#include "server/scheduler/adoption.h"
#include "server/scheduler/completion.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/heartbeat.h"
#include "server/scheduler/lease_expiry.h"
#include "server/scheduler/leasing.h"
#include "server/scheduler/progress.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/results.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/unplaceable.h"
#include "server/scheduler/wait_reason.h"

namespace bitwright::server {
namespace {

void AdvanceStuck(Core& core) {
  std::vector<Owner*> stuck;
  for (const auto& [name, owner] : core.board.owners()) {
    if (owner->stuck) stuck.push_back(owner.get());
  }
  for (Owner* owner : stuck) Advance(core, *owner);
}

void SetGauges(Core& core) {
  std::array<int64_t, 6> counts{};
  for (const auto& [name, owner] : core.board.owners()) {
    for (const LiveTask& task : owner->tasks) ++counts[static_cast<size_t>(task.row.state)];
  }
  constexpr std::array kNames = {"waiting", "ready", "leased", "done", "failed", "cancelled"};
  for (size_t i = 0; i < kNames.size(); ++i) core.metrics.SetTasks(kNames[i], counts[i]);
  core.metrics.SetSlots(core.board.fleet().slots_and_lanes(), core.board.fleet().busy());
}

}  // namespace

class ABSL_SCOPED_LOCKABLE Scheduler::Section {
 public:
  explicit Section(Scheduler& scheduler) ABSL_EXCLUSIVE_LOCK_FUNCTION(scheduler.mutex_) : scheduler_(scheduler) {
    scheduler_.mutex_.Lock();
  }
  ~Section() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    Outbox calls;
    calls.swap(scheduler_.core_.outbox);
    scheduler_.mutex_.Unlock();
    for (const auto& call : calls) call();
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  Scheduler& scheduler_;
};

Scheduler::Scheduler(Store& store, HeldBlobs& blobs, const Planner& planner, const Clock& clock, Metrics& metrics,
                     SchedulerOptions options)
    : core_{.store = store,
            .blobs = blobs,
            .planner = planner,
            .clock = clock,
            .metrics = metrics,
            .options = std::move(options)} {}

absl::Status Scheduler::Start() {
  Section section(*this);
  return AdoptAll(core_);
}

absl::Status Scheduler::Adopt(const std::string& name) {
  Section section(*this);
  ABSL_RETURN_IF_ERROR(server::Adopt(core_, name));
  if (Owner* owner = core_.board.FindOwner(name)) InspectFromCache(core_, *owner);
  ServeWaiting(core_);
  return absl::OkStatus();
}

absl::Status Scheduler::Remove(const std::string& name, const std::function<absl::Status(Transaction&)>& body) {
  Section section(*this);
  ABSL_RETURN_IF_ERROR(core_.store.Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(body(tx));
    return tx.ClearReferences(TasksReference(name));
  }));
  if (Owner* owner = core_.board.FindOwner(name)) Forget(core_, *owner);
  ServeWaiting(core_);
  return absl::OkStatus();
}

absl::Status Scheduler::CancelJob(const std::string& job) {
  Section section(*this);
  Owner* owner = core_.board.FindOwner(job);
  if (owner == nullptr || owner->job() == nullptr) return absl::OkStatus();
  ABSL_RETURN_IF_ERROR(server::CancelJob(core_, *owner));
  ServeWaiting(core_);
  return absl::OkStatus();
}

std::optional<v1::Job> Scheduler::LiveJob(const std::string& job) {
  absl::MutexLock lock(&mutex_);
  const Owner* owner = core_.board.FindOwner(job);
  if (owner == nullptr || owner->job() == nullptr) return std::nullopt;
  v1::Job live = ComposeJob(*owner);
  if (const auto remaining = Remaining(core_, *owner)) *live.mutable_remaining() = ToProto(*remaining);
  return live;
}

std::optional<v1::Notice> Scheduler::WaitingOf(const std::string& owner) {
  absl::MutexLock lock(&mutex_);
  const Owner* found = core_.board.FindOwner(owner);
  return found == nullptr ? std::nullopt : found->WaitingNotice();
}

int64_t Scheduler::Subscribe(const std::string& owner, std::function<void()> on_change) {
  absl::MutexLock lock(&mutex_);
  return core_.subscribers.Add(owner, std::move(on_change));
}

void Scheduler::Unsubscribe(int64_t id) {
  absl::MutexLock lock(&mutex_);
  core_.subscribers.Remove(id);
}

std::string Scheduler::RegisterWorker(const v1::WorkerCapacity& capacity) {
  Section section(*this);
  std::string name = core_.board.fleet().Add(capacity, core_.clock);
  LOG(INFO) << name << " registered: " << capacity.cores() << " cores, " << capacity.compute_class() << ", host "
            << capacity.host() << ", process " << capacity.process_id();
  ServeWaiting(core_);
  return name;
}

int64_t Scheduler::LeaseTask(const std::string& worker, absl::Duration max_wait, LeaseDone done, bool small_only) {
  Section section(*this);
  const int64_t id = core_.waiting.NewId();
  core_.waiting.Add(id, {worker, core_.clock.Monotonic() + max_wait, small_only, std::move(done)});
  Fleet::Member* member = core_.board.fleet().Find(worker);
  if (member == nullptr || core_.draining) {
    core_.waiting.Answer(id, core_.draining ? ServerDrainingError() : WorkerUnknownError(worker), core_.outbox);
    return id;
  }
  Fleet::Seen(*member, core_.clock);
  member->small_lane |= small_only;
  ServeWaiting(core_);
  if (max_wait <= absl::ZeroDuration()) core_.waiting.Answer(id, std::nullopt, core_.outbox);
  return id;
}

void Scheduler::CancelLease(int64_t waiter) {
  Section section(*this);
  core_.waiting.Answer(waiter, std::nullopt, core_.outbox);
}

void Scheduler::ReturnLease(const v1::Lease& lease) {
  Section section(*this);
  const std::optional<TaskBoard::Place> place = core_.board.FindLease(lease.task(), lease.fencing_token());
  if (!place) return;
  const absl::Status status = PutBack(core_, *place);
  if (!status.ok()) LOG(ERROR) << lease.task() << " will be released when its lease ends: " << status.ToString();
  ServeWaiting(core_);
}

absl::StatusOr<v1::HeartbeatResponse> Scheduler::Heartbeat(const v1::HeartbeatRequest& request) {
  Section section(*this);
  return RenewLeases(core_, request);
}

absl::Status Scheduler::CompleteTask(const v1::CompleteTaskRequest& request) {
  Section section(*this);
  ABSL_RETURN_IF_ERROR(server::CompleteTask(core_, request));
  ServeWaiting(core_);
  return absl::OkStatus();
}

absl::Status Scheduler::FailTask(const v1::FailTaskRequest& request) {
  Section section(*this);
  absl::Status status = server::FailTask(core_, request);
  ServeWaiting(core_);
  return status;
}

void Scheduler::DeregisterWorker(const std::string& worker) {
  Section section(*this);
  ReleaseWorker(core_, worker, nullptr);
  ServeWaiting(core_);
}

std::vector<v1::Worker> Scheduler::ListWorkers() {
  absl::MutexLock lock(&mutex_);
  return core_.board.fleet().ToProto();
}

void Scheduler::ReleaseProcess(const std::string& host, int process_id) {
  Section section(*this);
  for (const std::string& worker : core_.board.fleet().OfProcess(host, process_id)) {
    const absl::Status fault = WorkerDiedError(worker);
    ReleaseWorker(core_, worker, core_.draining ? nullptr : &fault);  // in a drain we ended it ourselves
  }
  ServeWaiting(core_);
}

void Scheduler::Tick() {
  Section section(*this);
  ExpireLeases(core_);
  core_.board.fleet().ForgetUnseen(core_.clock.Monotonic() - core_.options.worker_memory);
  AdvanceStuck(core_);
  FailUnmatched(core_);
  ServeWaiting(core_);
  core_.waiting.AnswerExpired(core_.clock.Monotonic(), core_.outbox);
  TellWaiting(core_);
  SetGauges(core_);
}

void Scheduler::BeginDrain() {
  Section section(*this);
  core_.draining = true;
  core_.waiting.AnswerExpired(MonotonicTime::InfiniteFuture(), core_.outbox);
  core_.subscribers.NotifyAll(core_.outbox);
}

bool Scheduler::draining() {
  absl::MutexLock lock(&mutex_);
  return core_.draining;
}

double Scheduler::FlopsPerSecond() {
  absl::MutexLock lock(&mutex_);
  return core_.speed.FlopsPerSecond(core_.board.fleet());
}

}  // namespace bitwright::server
