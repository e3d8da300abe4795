#pragma once

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <memory>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/observe/bounded_label.h"
#include "server/observe/metrics.h"

namespace bitwright::server {

// The series of Metrics, by name and kind. A family has labels, what is no family has none and is there from the start.
struct Metrics::Series {
  using Buckets = prometheus::Histogram::BucketBoundaries;
  using Histograms = prometheus::Family<prometheus::Histogram>;
  using Gauges = prometheus::Family<prometheus::Gauge>;
  using Counters = prometheus::Family<prometheus::Counter>;

  static const Buckets& Seconds();  // half a millisecond to half an hour
  static const Buckets& Counts();   // 1, 2, 4 … 1024
  static const Buckets& Nats();     // 1e-4 to 5, three a decade
  static const Buckets& Bits();     // 1.5 to 16

  Histograms& HistogramsOf(const char* name, const char* help);
  Gauges& GaugesOf(const char* name, const char* help);
  Counters& CountersOf(const char* name, const char* help);

  // The kind as labels name it, which is remembered; Kinds: all that were.
  WorkerKind BoundKind(const WorkerKind& kind);
  std::set<WorkerKind> Kinds();

  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();

  Histograms& rpc = HistogramsOf("bitwright_rpc_seconds", "Time from arrival to answer of a call, streams left out");
  Counters& rpcs = CountersOf("bitwright_rpcs_total", "Calls answered, streams included");
  Histograms& stream = HistogramsOf("bitwright_rpc_stream_seconds", "Time of a stream or wait for work to its end");
  Gauges& streams = GaugesOf("bitwright_rpc_streams_open", "Streams and waits for work under way");
  Gauges& lanes = GaugesOf("bitwright_lane_depth", "Steps that wait for a thread of a lane");
  Counters& refused = CountersOf("bitwright_lane_refusals_total", "Calls refused since their lane was full");
  prometheus::Counter& uploaded =
      CountersOf("bitwright_upload_bytes_total", "Bytes received by ByteStream.Write").Add({});

  Histograms& task = HistogramsOf("bitwright_task_seconds", "Run time of finished tasks");
  Gauges& jobs = GaugesOf("bitwright_jobs", "Jobs by state");
  Counters& quotas =
      CountersOf("bitwright_quota_refusals_total", "Calls refused since their tenant has what it may have");
  Counters& ended = CountersOf("bitwright_jobs_ended_total", "Jobs that ended, by outcome");
  Counters& failed = CountersOf("bitwright_jobs_failed_total", "Jobs that failed, by the reason of their error");
  BoundedLabel failure_reasons{64};
  Counters& artifacts =
      CountersOf("bitwright_artifacts_total", "Artifacts of finished jobs, by what their plan is worth");
  Histograms& divergence =
      HistogramsOf("bitwright_artifact_kl_divergence_nats", "Measured KL divergence of artifacts, nats per token");
  Histograms& bits = HistogramsOf("bitwright_artifact_average_bits", "Average bits per weight of artifacts");
  prometheus::Gauge& oldest =
      GaugesOf("bitwright_oldest_queued_job_age_seconds", "Age of the job that is queued longest; 0: none").Add({});
  Gauges& tasks = GaugesOf("bitwright_tasks", "Tasks of unfinished jobs by state");
  Gauges& waiting = GaugesOf("bitwright_tasks_waiting", "Tasks that could run, by what keeps them");
  prometheus::Histogram& wait =
      HistogramsOf("bitwright_task_queue_wait_seconds", "Time of a task from ready to leased").Add({}, Seconds());
  prometheus::Histogram& turn =
      HistogramsOf("bitwright_scheduler_wait_seconds", "Time of a step of the scheduler until its turn")
          .Add({}, Seconds());
  Gauges& slots =
      GaugesOf("bitwright_worker_slots", "Tasks that the workers can run at once, without small ones beside them");
  Gauges& busy = GaugesOf("bitwright_worker_slots_busy", "Tasks that the workers run");
  Counters& busy_seconds =
      CountersOf("bitwright_worker_busy_seconds_total", "Run time of finished tasks, by the workers that ran them");
  Gauges& device_memory =
      GaugesOf("bitwright_device_memory_bytes", "Memory of the workers' devices beside that of their hosts");
  BoundedLabel devices{16};
  BoundedLabel compute_classes{32};
  prometheus::Counter& hits =
      CountersOf("bitwright_action_cache_hits_total", "Tasks answered from the action cache").Add({});
  prometheus::Counter& misses =
      CountersOf("bitwright_action_cache_misses_total", "Tasks that had to run, each once").Add({});
  prometheus::Counter& expiries = CountersOf("bitwright_lease_expiries_total", "Leases that ran out").Add({});
  prometheus::Counter& retries =
      CountersOf("bitwright_task_retries_total", "Attempts repeated after a worker's fault").Add({});

  prometheus::Histogram& commit =
      HistogramsOf("bitwright_commit_seconds", "Time of one commit of the store").Add({}, Seconds());
  prometheus::Histogram& batch =
      HistogramsOf("bitwright_commit_transactions", "Transactions made durable by one commit").Add({}, Counts());
  prometheus::Gauge& blobs = GaugesOf("bitwright_blobs", "Blobs held").Add({});
  prometheus::Gauge& blob_bytes = GaugesOf("bitwright_blob_bytes", "Bytes of the blobs held").Add({});
  prometheus::Counter& collected = CountersOf("bitwright_blobs_collected_total", "Blobs removed as unused").Add({});
  prometheus::Counter& lost = CountersOf("bitwright_blobs_lost_total", "Blobs whose file was gone").Add({});
  prometheus::Gauge& disk_free =
      GaugesOf("bitwright_disk_free_bytes", "Free bytes of the data directory's file system").Add({});
  prometheus::Gauge& disk_size =
      GaugesOf("bitwright_disk_size_bytes", "Size of the data directory's file system").Add({});
  prometheus::Counter& spans_sent =
      CountersOf("bitwright_trace_spans_sent_total", "Spans that a collector took").Add({});
  Counters& spans_dropped =
      CountersOf("bitwright_trace_spans_dropped_total", "Spans that no collector got, by the reason");
  Gauges& build = GaugesOf("bitwright_build_info", "Always 1; versions of the server and its libraries");

  std::unique_ptr<prometheus::Exposer> exposer;

 private:
  absl::Mutex mutex_;
  std::set<WorkerKind> kinds_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace bitwright::server
