#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "tests/bench/service/row.h"
#include "tests/bench/service/workload.h"

namespace bitwright::server {

// Simulated workers that hold tasks and do pairs: hand in the oldest, lease another. No thread waits for an answer, so
// that all of them can be under way at once. Thread-safe.
class WorkerFleet {
 public:
  // Told of every accepted result, on a thread of gRPC.
  using OnComplete = std::function<void(const v1::Lease& lease)>;

  // Registers the workers, which lease `held` tasks each.
  WorkerFleet(const std::string& address, const Workload& workload, int workers, int held,
              OnComplete on_complete = nullptr);
  ~WorkerFleet();

  // So many pairs, each worker as fast as the server lets it. Returns when all are done, or after `seconds` those that
  // were begun.
  struct Done {
    int pairs = 0;
    double seconds = 0;
    Latencies leases;  // of LeaseTask calls that found a task
  };
  Done RunAtFullSpeed(int pairs, double seconds);
  // So many, one begun every 1 / rate seconds, as long as a worker is free to do it.
  Done RunAtPace(int pairs, double per_second);

  // What each worker would send now; its tasks with a progress that grows with every call.
  std::vector<v1::HeartbeatRequest> Heartbeats();

 private:
  struct Worker;

  void BeginPair(Worker& worker);
  void BeginLease(Worker& worker);
  void EndPair(Worker& worker, bool leased, double lease_seconds);
  Done Finish(double start) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitNoneUnderWay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Workload& workload_;
  const OnComplete on_complete_;
  std::vector<std::unique_ptr<Calls>> calls_;
  std::vector<std::unique_ptr<Worker>> workers_;
  absl::Mutex mutex_;
  std::vector<Worker*> free_ ABSL_GUARDED_BY(mutex_);
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  int to_begin_ ABSL_GUARDED_BY(mutex_) = 0;  // pairs that a worker begins by itself once it has done one
  Done done_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
