#include "server/scheduler/scheduler.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/synchronization/notification.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "server/scheduler/completion.h"
#include "server/scheduler/end_counts.h"
#include "server/scheduler/ending.h"
#include "server/scheduler/heartbeat.h"
#include "server/scheduler/loading.h"
#include "server/scheduler/planning.h"
#include "server/scheduler/releasing.h"
#include "server/scheduler/results.h"
#include "server/scheduler/routing.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/starting.h"
#include "server/scheduler/task_view.h"
#include "server/scheduler/unplaceable.h"
#include "server/scheduler/wait_reason.h"

namespace bitwright::server {
namespace {

constexpr int kBackgroundThreads = 2;

void SetGauges(Core& core) {
  constexpr std::array kNames = {"waiting", "ready", "leased", "done", "failed", "cancelled"};
  for (size_t i = 0; i < kNames.size(); ++i) core.metrics.SetTasks(kNames[i], core.board.states()[i]);
  if (core.fleet == nullptr) return;
  core.metrics.SetSlots(core.fleet->members().SlotsByKind());
}

}  // namespace

class ABSL_SCOPED_LOCKABLE Scheduler::Section {
 public:
  explicit Section(Scheduler& scheduler) ABSL_EXCLUSIVE_LOCK_FUNCTION(scheduler.mutex_) : scheduler_(scheduler) {
    const MonotonicTime asked = scheduler_.clock_.Monotonic();
    scheduler_.mutex_.Lock();
    scheduler_.core_.metrics.SchedulerWaited(absl::ToDoubleSeconds(scheduler_.clock_.Monotonic() - asked));
  }
  ~Section() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    scheduler_.Dispatch();
    Outbox calls;
    calls.swap(scheduler_.core_.outbox);
    if (!calls.empty()) ++scheduler_.core_.under_way;
    scheduler_.mutex_.Unlock();
    if (calls.empty()) return;
    for (const auto& call : calls) call();
    scheduler_.mutex_.Lock();
    --scheduler_.core_.under_way;
    scheduler_.mutex_.Unlock();
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

 private:
  Scheduler& scheduler_;
};

Scheduler::Scheduler(Store& store, HeldBlobs& blobs, const Planner& planner, const Clock& clock, Metrics& metrics,
                     SchedulerOptions options, std::unique_ptr<Executor> elsewhere)
    : store_(store),
      clock_(clock),
      models_(store),
      executor_(elsewhere != nullptr ? std::move(elsewhere) : std::make_unique<LocalFleet>(options.fleet)),
      background_(std::make_unique<WorkThreads>(kBackgroundThreads)),
      core_{.store = store,
            .blobs = blobs,
            .planner = planner,
            .clock = clock,
            .metrics = metrics,
            .options = std::move(options),
            .models = models_,
            .background = *background_,
            .executor = *executor_,
            .fleet = dynamic_cast<LocalFleet*>(executor_.get()),
            .resume = [this](const Step& step) { Resume(step); }} {}

Scheduler::~Scheduler() {
  Settle();
  background_.reset();
}

void Scheduler::Resume(const Step& step) {
  Section section(*this);
  step(core_);
}

// What the step changed may have freed a place or made a task ready.
void Scheduler::Dispatch() {
  RouteAfterFleetChange(core_);
  while (true) {
    TakeLost(core_);
    ApplyGate(core_);
    const std::vector<Placement> placements = core_.executor.FindPlaces();
    if (placements.empty()) return;
    for (const Placement& placement : placements) StartTask(core_, placement);
  }
}

absl::Status Scheduler::WaitFor(const std::function<void(Core&, Answer)>& step) {
  absl::Notification answered;
  absl::Status answer;
  {
    Section section(*this);
    step(core_, [&](const absl::Status& status) {
      answer = status;
      answered.Notify();
    });
  }
  answered.WaitForNotification();
  return answer;
}

absl::Status Scheduler::Start() {
  Section section(*this);
  ExpectArtifacts(core_.metrics);
  return LoadStarted(core_);
}

void Scheduler::Arrived(const std::string& name, const std::string& tenant, int priority) {
  Section section(*this);
  core_.window.OnArrived(core_, name, tenant, priority);
}

void Scheduler::LimitTenant(const std::string& tenant, int64_t running_jobs) {
  Section section(*this);
  core_.gate.Limit(tenant, running_jobs);
  core_.window.LookAgain();
}

void Scheduler::Settle() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Scheduler::Settled));
}

bool Scheduler::IsQuiet(const std::string& name) const {
  if (core_.window.loads(name)) return false;
  const Owner* owner = core_.board.FindOwner(name);
  if (owner == nullptr) return true;
  if (owner->planning || owner->writes > 0) return false;
  return std::none_of(owner->tasks.begin(), owner->tasks.end(),
                      [](const LiveTask& task) { return task.step == TaskStep::kLookup; });
}

void Scheduler::AwaitQuiet(const std::string& name, absl::Duration limit) {
  struct Wait {
    const Scheduler& scheduler;
    const std::string& name;
    bool IsOver() const ABSL_NO_THREAD_SAFETY_ANALYSIS { return scheduler.IsQuiet(name); }  // called with the lock
  };
  const Wait wait{*this, name};
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&wait, &Wait::IsOver), limit);
}

absl::Status Scheduler::Remove(const std::string& name, const std::function<absl::Status(Transaction&)>& body) {
  ABSL_RETURN_IF_ERROR(store_.Write([&](Transaction& tx) -> absl::Status {
    ABSL_RETURN_IF_ERROR(body(tx));
    return tx.ClearReferences(TasksReference(name));
  }));
  Section section(*this);
  if (Owner* owner = core_.board.FindOwner(name)) Forget(core_, *owner);
  core_.window.Fill(core_);
  return absl::OkStatus();
}

absl::Status Scheduler::CancelJob(const std::string& job, const std::string& etag) {
  return WaitFor([&](Core& core, Answer answer) {
    Owner* owner = core.board.FindOwner(job);
    if (owner != nullptr) return server::CancelJob(core, *owner, etag, std::move(answer));
    Load(core, job, [etag, answer = std::move(answer)](Core& loaded, Owner* found) {
      if (found != nullptr) return server::CancelJob(loaded, *found, etag, answer);
      Tell(loaded, answer, absl::OkStatus());
    });
  });
}

std::optional<v1::Job> Scheduler::LiveJob(const std::string& job, const std::string& tenant) {
  absl::MutexLock lock(&mutex_);
  const Owner* owner = core_.board.FindOwner(job);
  if (owner == nullptr || owner->job() == nullptr || owner->tenant() != tenant) return std::nullopt;
  v1::Job live = ComposeJob(*owner);
  if (const auto remaining = Remaining(core_, *owner)) *live.mutable_remaining() = ToProto(*remaining);
  return live;
}

std::optional<v1::Model> Scheduler::LiveModel(const std::string& model, const std::string& tenant) {
  absl::MutexLock lock(&mutex_);
  const Owner* owner = core_.board.FindOwner(model);
  if (owner == nullptr || owner->model() == nullptr || owner->tenant() != tenant) return std::nullopt;
  return ComposeModel(*owner);
}

std::optional<std::vector<v1::Task>> Scheduler::LiveTasks(const std::string& owner, const std::string& after,
                                                          int limit) {
  absl::MutexLock lock(&mutex_);
  const Owner* found = core_.board.FindOwner(owner);
  return found == nullptr ? std::nullopt : std::optional(ViewTasks(core_, *found, after, limit));
}

std::optional<v1::Task> Scheduler::TaskNow(const std::string& task) {
  absl::MutexLock lock(&mutex_);
  const auto place = core_.board.Find(task);
  return place ? std::optional(ViewTask(core_, *place->task)) : std::nullopt;
}

std::optional<v1::Notice> Scheduler::WaitingOf(const std::string& owner) {
  absl::MutexLock lock(&mutex_);
  const Owner* found = core_.board.FindOwner(owner);
  return found == nullptr ? std::optional(QueuedBehind(core_.board.jobs())) : found->WaitingNotice();
}

int64_t Scheduler::Subscribe(const std::string& owner, std::function<void()> on_change) {
  absl::MutexLock lock(&mutex_);
  return core_.subscribers.Add(owner, std::move(on_change));
}

void Scheduler::Unsubscribe(int64_t id) {
  absl::MutexLock lock(&mutex_);
  core_.subscribers.Remove(id);
}

int64_t Scheduler::SubscribeToDemand(std::function<void()> on_look) {
  absl::MutexLock lock(&mutex_);
  return core_.subscribers.Add(kDemand, std::move(on_look));
}

absl::StatusOr<int64_t> Scheduler::PlacesWanted(const WorkerPool& pool) {
  absl::MutexLock lock(&mutex_);
  return server::PlacesWanted(core_, pool);
}

absl::StatusOr<std::string> Scheduler::RegisterWorker(const v1::WorkerCapacity& capacity) {
  Section section(*this);
  if (core_.fleet == nullptr) return WorkersElsewhereError();
  std::string name = core_.fleet->Register(capacity, core_.clock);
  LOG(INFO) << name << " registered: " << capacity.cores() << " cores, " << capacity.compute_class()
            << (capacity.device_name().empty() ? "" : " (" + capacity.device_name() + ")") << ", host "
            << capacity.host() << ", process " << capacity.process_id();
  return name;
}

int64_t Scheduler::LeaseTask(const std::string& worker, absl::Duration max_wait, LeaseDone done, bool small_only) {
  int64_t id = 0;
  {
    Section section(*this);
    if (core_.fleet == nullptr) {
      core_.outbox.push_back([done = std::move(done)] { done(WorkersElsewhereError()); });
      return id;
    }
    id = core_.fleet->Ask({worker, core_.clock.Monotonic() + max_wait, small_only, std::move(done)}, core_.clock,
                          core_.outbox);
    Dispatch();
    if (max_wait <= absl::ZeroDuration()) core_.fleet->CancelAsk(id, core_.outbox);
  }
  return id;
}

void Scheduler::CancelLease(int64_t waiter) {
  Section section(*this);
  if (core_.fleet != nullptr) core_.fleet->CancelAsk(waiter, core_.outbox);
}

void Scheduler::ReturnLease(const v1::Lease& lease) {
  Section section(*this);
  const std::optional<TaskBoard::Place> place = core_.board.FindLease(lease.task(), lease.fencing_token());
  if (place && place->task->step == TaskStep::kNone) PutBack(core_, *place, nullptr, nullptr);
}

absl::StatusOr<v1::HeartbeatResponse> Scheduler::Heartbeat(const v1::HeartbeatRequest& request) {
  Section section(*this);
  return RenewLeases(core_, request);
}

absl::Status Scheduler::CompleteTask(const v1::CompleteTaskRequest& request) {
  return WaitFor([&](Core& core, Answer answer) { server::CompleteTask(core, request, std::move(answer)); });
}

absl::Status Scheduler::FailTask(const v1::FailTaskRequest& request) {
  return WaitFor([&](Core& core, Answer answer) { server::FailTask(core, request, std::move(answer)); });
}

void Scheduler::DeregisterWorker(const std::string& worker) {
  Section section(*this);
  if (core_.fleet != nullptr) core_.fleet->Leave(worker, false);
}

std::vector<v1::Worker> Scheduler::ListWorkers(const std::string& after, int limit, absl::Time seen_since) {
  absl::MutexLock lock(&mutex_);
  return core_.fleet == nullptr ? std::vector<v1::Worker>() : core_.fleet->ListWorkers(after, limit, seen_since);
}

absl::StatusOr<v1::Worker> Scheduler::CordonWorker(const std::string& worker) {
  Section section(*this);
  return core_.fleet == nullptr ? WorkersElsewhereError() : core_.fleet->Cordon(worker);
}

absl::StatusOr<v1::Worker> Scheduler::UncordonWorker(const std::string& worker) {
  Section section(*this);
  return core_.fleet == nullptr ? WorkersElsewhereError() : core_.fleet->Uncordon(worker);
}

absl::StatusOr<v1::Worker> Scheduler::DrainWorker(const std::string& worker) {
  Section section(*this);
  return core_.fleet == nullptr ? WorkersElsewhereError() : core_.fleet->Dismiss(worker, core_.outbox);
}

absl::Status Scheduler::RequeueTask(const std::string& task) {
  return WaitFor([&](Core& core, Answer answer) { server::RequeueTask(core, task, std::move(answer)); });
}

void Scheduler::ReleaseProcess(const std::string& host, int process_id) {
  Section section(*this);
  if (core_.fleet != nullptr) core_.fleet->ProcessEnded(host, process_id);
}

bool Scheduler::IsDismissed(const std::string& host, int process_id) {
  absl::MutexLock lock(&mutex_);
  return core_.fleet != nullptr && core_.fleet->IsDismissed(host, process_id);
}

void Scheduler::Tick() {
  Section section(*this);
  if (core_.fleet != nullptr) core_.fleet->Tick(core_.clock, core_.outbox);
  RetryStuck(core_);
  RouteDue(core_);
  FailUnplaceable(core_);
  core_.window.Fill(core_);
  TellWaiting(core_);
  TellDemand(core_);
  SetGauges(core_);
}

void Scheduler::Pause(std::optional<v1::Notice> why) {
  Section section(*this);
  core_.paused = std::move(why);
  if (core_.fleet != nullptr) core_.fleet->Pause(core_.paused.has_value());
}

void Scheduler::BeginDrain() {
  Section section(*this);
  core_.draining = true;
  if (core_.fleet != nullptr) core_.fleet->Drain(core_.outbox);
  core_.subscribers.NotifyAll(core_.outbox);
}

bool Scheduler::draining() {
  absl::MutexLock lock(&mutex_);
  return core_.draining;
}

double Scheduler::FlopsPerSecond(std::string_view device) {
  absl::MutexLock lock(&mutex_);
  return core_.speed.FlopsPerSecond(core_.fleet == nullptr ? Fleet() : core_.fleet->members(), device);
}

}  // namespace bitwright::server
