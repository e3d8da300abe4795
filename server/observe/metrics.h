#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::server {

// Everything that the server counts, served as Prometheus text. The only place that touches prometheus-cpp; what that
// library throws becomes a status here. Labels are few and bounded: no job, model, worker or tenant ever is one.
// Thread-safe.
//
//   bitwright_rpc_seconds{method,code}          histogram: time from arrival to answer (of streams: to their end)
//   bitwright_jobs{state}, bitwright_tasks{state}   gauges
//   bitwright_task_queue_wait_seconds           histogram: from ready to leased
//   bitwright_task_seconds{kind}                histogram: run time of finished tasks
//   bitwright_worker_slots, bitwright_worker_slots_busy   gauges
//   bitwright_blobs, bitwright_blob_bytes       gauges
//   bitwright_action_cache_hits_total, …_misses_total     counters
//   bitwright_upload_bytes_total, bitwright_lease_expiries_total, bitwright_task_retries_total,
//   bitwright_blobs_collected_total             counters
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void RpcDone(std::string_view method, absl::StatusCode code, double seconds);
  void TaskLeased(double waited_seconds);
  void TaskDone(std::string_view kind, double seconds);
  void CacheHit();
  void CacheMiss();
  void Uploaded(int64_t bytes);
  void LeaseExpired();
  void TaskRetried();
  void BlobsCollected(int64_t count);

  void SetJobs(std::string_view state, int64_t count);
  void SetTasks(std::string_view state, int64_t count);
  void SetSlots(int total, int busy);
  void SetBlobs(int64_t count, int64_t bytes);

  // All series as Prometheus text.
  std::string Text() const;

  // Serves /metrics at "HOST:PORT" until the object goes; returns the port. UNAVAILABLE, reason METRICS_LISTEN_FAILED.
  absl::StatusOr<int> Serve(const std::string& address);

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace bitwright::server
