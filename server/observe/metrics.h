#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::server {

// Workers that are alike.
struct WorkerKind {
  std::string device;         // "cpu"
  std::string compute_class;  // "cpu-avx2"

  auto operator<=>(const WorkerKind&) const = default;
};

// Tasks that workers can run at once, those that they run, and what they have for them.
struct Slots {
  int total = 0;
  int busy = 0;
  int64_t device_memory_bytes = 0;  // of all their devices together; 0 of processors
};

// Everything that the server counts, served as Prometheus text. The only place that touches prometheus-cpp; what that
// library throws becomes a status here. Labels are few and bounded: no job, model, worker or tenant ever is one.
// Seconds and bytes throughout; deploy/README.md lists every series. Thread-safe.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Calls. A call that lasts as long as its caller likes (a stream, a wait for work) is opened and ended as a stream:
  // its time says nothing about how fast the server answers.
  void RpcDone(std::string_view method, absl::StatusCode code, double seconds);
  void StreamOpened(std::string_view method);
  void StreamDone(std::string_view method, absl::StatusCode code, double seconds);
  void Uploaded(int64_t bytes);
  // Sets how many steps wait in a lane; cheap enough for each step. Must not outlive the object.
  std::function<void(int64_t)> LaneDepth(std::string_view lane);
  void LaneRefused(std::string_view lane);

  // Tasks and jobs.
  void TaskLeased(double waited_seconds);
  void TaskDone(std::string_view kind, double seconds);
  void WorkerBusy(const WorkerKind& kind, double seconds);  // with a task that is done
  void CacheHit();
  void CacheMiss();  // a task that runs since nothing was cached: once a task, not once an attempt
  void LeaseExpired();
  void TaskRetried();
  void JobEnded(std::string_view outcome);  // "succeeded", "failed", "cancelled"
  void JobFailed(std::string_view reason);  // in addition; of its error, such as "OUT_OF_MEMORY"
  // Makes the series of ArtifactMade, which count 0.
  void ExpectArtifact(std::string_view target, std::string_view verdict);
  // One of a job's artifacts, as its selected plan was measured. `verdict`: a word of VerdictOf.
  void ArtifactMade(std::string_view target, std::string_view verdict, double kl_divergence, double average_bits);
  void SchedulerWaited(double seconds);  // of one step, for its turn
  void SetJobs(std::string_view state, int64_t count);
  void SetOldestQueuedJob(double age_seconds);  // 0: none is queued
  void SetTasks(std::string_view state, int64_t count);
  void SetWaiting(std::string_view reason, int64_t tasks);  // reason: of WaitReason, such as "NO_WORKER"
  void SetSlots(const std::map<WorkerKind, Slots>& slots);  // of all kinds that are there

  // Storage.
  void Committed(double seconds, int64_t transactions);  // one fsync of the store and how many it made durable
  void BlobsCollected(int64_t count);
  void BlobsLost(int64_t count);  // rows whose file was gone
  void SetBlobs(int64_t count, int64_t bytes);
  void SetDisk(int64_t free_bytes, int64_t total_bytes);

  // Calls refused since the tenant has what it may have: "bytes", "queued_jobs".
  void QuotaRefused(std::string_view quota);

  // Spans of traces.
  void SpansSent(int64_t count);
  // `reason`: "queue_full", "refused" by the collector, "undelivered" since none took them in time.
  void SpansDropped(std::string_view reason, int64_t count);

  void SetBuild(const std::string& version, const std::string& grpc, const std::string& protobuf);

  // All series as Prometheus text.
  std::string Text() const;

  // Serves /metrics at "HOST:PORT" until the object goes; returns the port. UNAVAILABLE, reason METRICS_LISTEN_FAILED.
  absl::StatusOr<int> Serve(const std::string& address);

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace bitwright::server
