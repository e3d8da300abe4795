#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "proto/base/clock.h"
#include "proto/base/work_threads.h"
#include "server/blobs/held_blobs.h"
#include "server/observe/metrics.h"
#include "server/observe/span.h"
#include "server/scheduler/board.h"
#include "server/scheduler/executor.h"
#include "server/scheduler/local_fleet.h"
#include "server/scheduler/model_cache.h"
#include "server/scheduler/planner.h"
#include "server/scheduler/speed.h"
#include "server/scheduler/subscribers.h"
#include "server/scheduler/tenant_gate.h"
#include "server/scheduler/window.h"
#include "server/store/change.h"
#include "server/store/store.h"

namespace bitwright::server {

struct SchedulerOptions {
  FleetOptions fleet;
  absl::Duration patience = absl::Minutes(10);  // how long an owner waits for a worker that may run its tasks
  int window = 256;                             // jobs in memory; as many models
  int64_t tenant_running_jobs = 0;              // of a tenant without limits of its own; 0: any number
  SpanSink* spans = nullptr;  // of jobs that are traced; outlives the scheduler; null: none are written
};

// The answer to a call; runs once, without the lock, when what it says is durable.
using Answer = std::function<void(const absl::Status&)>;

// What every step of the scheduler works on: the functions of this folder are steps over it. The façade (scheduler.h)
// holds its lock while one runs, and makes the calls of `outbox` afterwards. A step waits for nothing: what must be
// written or read is handed to the store or to a thread of `background`, and goes on as another step.
struct Core {
  Store& store;
  HeldBlobs& blobs;
  const Planner& planner;
  const Clock& clock;
  Metrics& metrics;
  const SchedulerOptions options;
  ModelCache& models;
  WorkThreads& background;
  Executor& executor;
  LocalFleet* fleet = nullptr;                             // the executor, where it is this server's own
  std::function<void(std::function<void(Core&)>)> resume;  // runs a step under the lock; from any thread

  TaskBoard board;
  Window window;
  TenantGate gate;
  Subscribers subscribers;
  Outbox outbox;
  Speed speed;
  std::multimap<MonotonicTime, std::string> timers;  // tasks whose back-off is over then
  std::set<std::string> unrouted;                    // tasks that no place of the fleet may run
  std::set<std::string> stuck;                       // owners that the store refused
  int64_t fleet_seen = -1;                           // changes() of the executor when `unrouted` was looked at
  int under_way = 0;                                 // works outside the lock that are to be resumed
  MonotonicTime waiting_checked;                     // when TellWaiting looked last
  MonotonicTime demand_told;                         // when TellDemand called last
  MonotonicTime unplaceable_checked;                 // when FailUnplaceable did
  // That a gauge is set for: those of wait_reason.cc and DISK_LOW from the start, so that no alert lacks its series.
  std::set<std::string> waiting_reasons{"DISK_LOW",     "NO_WORKER",        "SERVER_STORAGE", "TENANT_LIMIT",
                                        "WORKERS_BUSY", "WORKERS_CORDONED", "WORKER_MISSING"};
  MonotonicTime trouble_told;        // when the log was last told that the store refuses
  std::optional<v1::Notice> paused;  // why no task is begun, though nothing is wrong with it
  bool draining = false;
};

// Hands the transaction to the store. Once its fate is known `then` runs under the lock.
void Write(Core& core, Store::Body body, std::function<void(Core&, const absl::Status&)> then);

// The same for a change of an owner. Once its fate is known `then` runs under the lock; without an owner where that was
// forgotten meanwhile.
void Commit(Core& core, Owner& owner, Change change, std::function<void(Core&, Owner*, const absl::Status&)> then);

// Runs `work` without the lock, and `then` with what it returns under the lock.
template <typename T>
void Outside(Core& core, std::function<T()> work, std::function<void(Core&, T)> then) {
  ++core.under_way;
  core.background.Post([&core, work = std::move(work), then = std::move(then)] {
    auto result = std::make_shared<T>(work());
    core.resume([result, then](Core& under_lock) {
      --under_lock.under_way;
      then(under_lock, std::move(*result));
    });
  });
}

// Leaves the answer to be given once the lock is released; null: nobody waits for it.
void Tell(Core& core, const Answer& answer, const absl::Status& status);

// The owner while it is the one of this id.
Owner* FindOwner(Core& core, const std::string& name, int64_t id);

// Runs the step once no write of the owner is under way: now, or as part of the last one's end.
void WhenQuiet(Core& core, Owner& owner, std::function<void(Core&, Owner&)> step);

// The owner has changed: its revision grows and its subscribers are told.
void Changed(Core& core, Owner& owner);

// Forgets an owner that has ended, is deleted or is left to its rows; its subscribers are told.
void Forget(Core& core, Owner& owner);

// Takes the task from the executor, and what waited for its digest is routed.
void Vacate(Core& core, Owner& owner, LiveTask& task);

// A write or read failed through the server's own fault: nothing of the owner is begun for a while, then it goes on.
void Refused(Core& core, Owner& owner, const absl::Status& why);
// Faults of the disk or the database pass or are mended by a person; they are no fault of a job.
bool IsServersFault(const absl::Status& status);
// Owners whose pause is over go on.
void RetryStuck(Core& core);

}  // namespace bitwright::server
