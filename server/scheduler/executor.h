#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/clock.h"
#include "proto/contract/live_set.h"
#include "server/scheduler/subscribers.h"

namespace bitwright::server {

// What a place has for a task.
struct Room {
  int64_t memory_bytes = 0;         // of the host
  int64_t device_memory_bytes = 0;  // of a device that has memory of its own; 0: there is none
  int threads = 1;
  bool small_lane = false;  // small tasks have memory of their own
};

// What a task needs of the place where it runs.
struct Requirements {
  std::string device;         // empty: any; of numeric tasks whose job holds out for one
  std::string compute_class;  // empty: any; of numeric tasks, whose results depend on it
  std::string code_version;   // empty: any
  LiveSet memory;             // estimate of the peak
  bool numeric = false;       // it computes on the place's device
  bool small = false;         // of seconds and little memory

  // Of the host's memory. Where the device has its own, a numeric task has its live set there.
  int64_t HostBytes(int threads, bool device_has_memory) const {
    return numeric && device_has_memory ? memory.host_bytes : memory.On(threads);
  }
  // Whether the room does. In a lane of their own small tasks need none of it.
  bool MemoryFits(const Room& room) const {
    if (small && room.small_lane) return true;
    const bool on_device = numeric && room.device_memory_bytes > 0;
    if (on_device && memory.On(1) > room.device_memory_bytes) return false;
    return HostBytes(room.threads, room.device_memory_bytes > 0) <= room.memory_bytes;
  }

  friend bool operator==(const Requirements&, const Requirements&) = default;
};

// A task that is to run.
struct Execution {
  std::string task;   // "tasks/{id}"
  std::string owner;  // job or model that it belongs to
  std::string tenant;
  int priority = 0;  // of the job, higher first
  absl::Time owner_create_time;
  double cost_flops = 0;
  Requirements needs;
  std::string failed_on;  // the worker whose device failed under it; another one is tried first. Empty: none
};

// Where a task runs. A lease says so in the task's row, so that a restarted server knows it again.
struct Place {
  std::string worker;  // "workers/{id}"
  std::string host;
  int process_id = 0;
  std::string compute_class;
  std::string code_version;
};

// A place was found for a task.
struct Placement {
  std::string task;
  Place place;
};

// One kind of place that is there now.
struct Offer {
  std::string compute_class;
  std::string code_version;
  int places = 0;                   // tasks that run at once
  int free_places = 0;              // of these
  double cores = 0;                 // of all of them together
  int64_t memory_bytes = 0;         // of the largest
  int64_t device_memory_bytes = 0;  // likewise; 0: its device has none of its own
  int threads = 1;                  // of a task there
  bool small_lane = false;          // small tasks need none of that memory
  bool closed = false;              // operators have cordoned these places: none of them is free

  // Whether one of these places, when it is free (and open again), may run such a task. Pure.
  bool Fits(const Requirements& needs) const;
};

// A lease that ended without a result.
struct LostLease {
  std::string task;
  int64_t fencing_token = 0;
  absl::Status why;  // OK: through no fault of the task or its worker, it is no attempt
};

// What runs tasks: the fleet of this server's workers (local_fleet.h), or another engine. Knows neither jobs nor the
// store: whoever submits makes each start durable before it happens.
//
//   Submit ──► waits ──FindPlaces──► placed ──Begin──► runs ──Withdraw──► forgotten
//                ▲                     │
//                └───────Refuse────────┘
//
// Plain data, as the scheduler's other parts: its lock guards every call. An engine with threads of its own hands what
// they learn to the scheduler, which takes the lock.
class Executor {
 public:
  virtual ~Executor() = default;

  virtual void Submit(Execution execution) = 0;
  // Forgets the task, wherever it is: it ended, or is needed no more. Unknown tasks are ignored.
  virtual void Withdraw(const std::string& task) = 0;

  // Places found since the last call. Each must be begun or refused.
  virtual std::vector<Placement> FindPlaces() = 0;
  // The start is durable: the lease goes to its place. A place that is gone by now loses it at once (see Lost).
  virtual void Begin(const std::string& task, v1::Lease lease, MonotonicTime now, Outbox& outbox) = 0;
  // It cannot start now; the place is free again, and the task waits, unless it was withdrawn while it was placed.
  virtual void Refuse(const std::string& task) = 0;
  // A task that ran there before this server started.
  virtual void Resume(Execution execution, const Place& place, int64_t fencing_token, MonotonicTime now) = 0;

  // Leases that ended since the last call. The tasks are forgotten.
  virtual std::vector<LostLease> Lost(MonotonicTime now) = 0;

  virtual std::vector<Offer> Offers(MonotonicTime now) const = 0;
  // Grows whenever Offers may have changed in kind.
  virtual int64_t changes() const = 0;
};

}  // namespace bitwright::server
