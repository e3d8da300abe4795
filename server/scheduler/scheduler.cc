#include "server/scheduler/scheduler.h"
#include "proto/base/wire_time.h"

#include <array>

#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "server/jobs/job_state.h"
#include "server/scheduler/scheduler_errors.h"
#include "server/scheduler/section.h"

namespace bitwright::server {
namespace {

// Of a worker's core, until a task has been measured.
constexpr double kAssumedFlopsPerCore = 80e9;
constexpr double kAssumedCores = 4;

}  // namespace

Scheduler::Scheduler(Store& store, BlobCatalog& blobs, const Planner& planner, const Clock& clock, Metrics& metrics,
                     SchedulerOptions options)
    : store_(store), blobs_(blobs), planner_(planner), clock_(clock), metrics_(metrics), options_(std::move(options)) {}

Scheduler::~Scheduler() = default;

absl::Status Scheduler::Start() {
  Section section(*this);
  std::vector<std::string> models;
  std::vector<std::string> jobs;
  ABSL_RETURN_IF_ERROR(store_.Read([&](Snapshot& snapshot) -> absl::Status {
    ABSL_ASSIGN_OR_RETURN(models, snapshot.UnfinishedModels());
    ABSL_ASSIGN_OR_RETURN(jobs, snapshot.UnfinishedJobs());
    return absl::OkStatus();
  }));
  for (const std::string& model : models) ABSL_RETURN_IF_ERROR(AdoptLocked(model));
  for (const std::string& job : jobs) ABSL_RETURN_IF_ERROR(AdoptLocked(job));
  return absl::OkStatus();
}

absl::Status Scheduler::Adopt(const std::string& owner) {
  Section section(*this);
  ABSL_RETURN_IF_ERROR(AdoptLocked(owner));
  if (const auto it = owners_.find(owner); it != owners_.end() && it->second->is_model) InspectFromCache(*it->second);
  Pump();
  return absl::OkStatus();
}

absl::Status Scheduler::Remove(const std::string& owner, const std::function<absl::Status(Transaction&)>& body) {
  Section section(*this);
  ABSL_RETURN_IF_ERROR(store_.Write(body));
  if (const auto it = owners_.find(owner); it != owners_.end()) Forget(*it->second);
  Pump();
  return absl::OkStatus();
}

absl::Status Scheduler::CancelJob(const std::string& job) {
  Section section(*this);
  const auto it = owners_.find(job);
  if (it == owners_.end()) return absl::OkStatus();
  Owner& owner = *it->second;
  v1::Job message = ComposeJob(owner);
  ABSL_ASSIGN_OR_RETURN(const v1::Job::State state, NextJobState(message.state(), JobEvent::kCancelRequested));
  message.set_state(state);
  Ending ending;
  ending.job = owner.job_row;
  ending.job->body = message.SerializeAsString();
  ABSL_RETURN_IF_ERROR(End(owner, ending));
  Pump();
  return absl::OkStatus();
}

std::optional<v1::Job> Scheduler::LiveJob(const std::string& job) {
  absl::MutexLock lock(&mutex_);
  const auto it = owners_.find(job);
  if (it == owners_.end() || it->second->is_model) return std::nullopt;
  return ComposeJob(*it->second);
}

int64_t Scheduler::Subscribe(const std::string& owner, std::function<void()> on_change) {
  absl::MutexLock lock(&mutex_);
  subscribers_[next_id_] = {owner, std::move(on_change)};
  return next_id_++;
}

void Scheduler::Unsubscribe(int64_t id) {
  absl::MutexLock lock(&mutex_);
  subscribers_.erase(id);
}

void Scheduler::Changed(Owner& owner) {
  owner.job.set_revision(owner.job.revision() + 1);
  for (const auto& [id, subscriber] : subscribers_) {
    if (subscriber.first == owner.name) after_.push_back(subscriber.second);
  }
}

void Scheduler::Tick() {
  Section section(*this);
  const int64_t now = ToMicros(clock_.Now());
  ExpireLeases();
  fleet_.ForgetUnseen(now - ToMicros(options_.worker_memory));
  std::vector<std::string> stuck;
  for (const auto& [name, owner] : owners_) {
    if (owner->stuck) stuck.push_back(name);
  }
  for (const std::string& name : stuck) Advance(*owners_.at(name));
  FailUnmatched();
  Pump();
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    if (it->second.deadline_micros > now) {
      ++it;
      continue;
    }
    after_.push_back([done = std::move(it->second.done)] { done(std::nullopt); });
    it = waiters_.erase(it);
  }
  SetGauges();
}

void Scheduler::SetGauges() {
  std::array<int64_t, 6> counts{};
  for (const auto& [name, owner] : owners_) {
    for (const LiveTask& task : owner->tasks) ++counts[static_cast<size_t>(task.row.state)];
  }
  constexpr std::array kNames = {"waiting", "ready", "leased", "done", "failed", "cancelled"};
  for (size_t i = 0; i < kNames.size(); ++i) metrics_.SetTasks(kNames[i], counts[i]);
  metrics_.SetSlots(fleet_.slots(), fleet_.busy());
}

void Scheduler::BeginDrain() {
  Section section(*this);
  draining_ = true;
  for (auto& [id, waiter] : waiters_) {
    after_.push_back([done = std::move(waiter.done)] { done(std::nullopt); });
  }
  waiters_.clear();
  for (const auto& [id, subscriber] : subscribers_) after_.push_back(subscriber.second);
}

bool Scheduler::draining() {
  absl::MutexLock lock(&mutex_);
  return draining_;
}

double Scheduler::FlopsPerSecond() {
  absl::MutexLock lock(&mutex_);
  if (measured_seconds_ > 0) return measured_flops_ / measured_seconds_;
  double cores = 0;
  for (const auto& [name, member] : fleet_.members()) {
    cores = std::max(cores, static_cast<double>(member.capacity.cores()) / member.slots());
  }
  return kAssumedFlopsPerCore * (cores > 0 ? cores : kAssumedCores);
}

}  // namespace bitwright::server
