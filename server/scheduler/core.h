#pragma once

#include <string>

#include "absl/time/time.h"
#include "proto/base/clock.h"
#include "server/blobs/held_blobs.h"
#include "server/observe/metrics.h"
#include "server/scheduler/board.h"
#include "server/scheduler/planner.h"
#include "server/scheduler/speed.h"
#include "server/scheduler/subscribers.h"
#include "server/scheduler/waiting_workers.h"
#include "server/store/store.h"

namespace bitwright::server {

struct SchedulerOptions {
  absl::Duration lease_ttl = absl::Seconds(10);     // told to workers; they renew every third of it
  absl::Duration lease_grace = absl::Seconds(10);   // beyond the ttl, before the task is given to another
  absl::Duration worker_memory = absl::Minutes(1);  // a worker not seen for this long is forgotten
  absl::Duration pin_patience = absl::Minutes(10);  // how long a pinned job waits for a worker of its class
  std::string host;  // this machine's name as workers give it; leases of before a start end with its processes
};

// What every step of the scheduler works on: the functions of this folder are steps over it. The façade (scheduler.h)
// holds its lock while one runs, and makes the calls of `outbox` afterwards.
struct Core {
  Store& store;
  HeldBlobs& blobs;
  const Planner& planner;
  const Clock& clock;
  Metrics& metrics;
  const SchedulerOptions options;

  TaskBoard board;
  WaitingWorkers waiting;
  Subscribers subscribers;
  Outbox outbox;
  Speed speed;
  MonotonicTime waiting_checked;  // when TellWaiting looked last
  bool draining = false;
};

// The owner has changed: a job's revision grows and its subscribers are told.
void Changed(Core& core, Owner& owner);

// Forgets an owner that has ended or is deleted, as its subscribers are told.
void Forget(Core& core, Owner& owner);

// When a lease that is granted or renewed now ends.
MonotonicTime LeaseExpiry(const Core& core);

}  // namespace bitwright::server
