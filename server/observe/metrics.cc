#include "server/observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <exception>

#include "proto/base/log.h"
#include "server/observe/observe_errors.h"

namespace bitwright::server {
namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries& Seconds() {
  static const auto& buckets = *new Histogram::BucketBoundaries{
      0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800};
  return buckets;
}

// prometheus-cpp throws for misuse and for lack of memory: a metric is never worth a request.
template <typename Body>
void Guarded(Body body) {
  try {
    body();
  } catch (const std::exception& error) {
    LOG(ERROR) << "a metric was lost: " << error.what();
  }
}

}  // namespace

struct Metrics::Series {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  prometheus::Family<Histogram>& rpc = Histograms("bitwright_rpc_seconds", "Time from arrival to answer of a call");
  prometheus::Family<Histogram>& task = Histograms("bitwright_task_seconds", "Run time of finished tasks");
  prometheus::Family<prometheus::Gauge>& jobs = Gauges("bitwright_jobs", "Jobs by state");
  prometheus::Family<prometheus::Gauge>& tasks = Gauges("bitwright_tasks", "Tasks of unfinished jobs by state");
  Histogram& wait =
      Histograms("bitwright_task_queue_wait_seconds", "Time of a task from ready to leased").Add({}, Seconds());
  prometheus::Gauge& slots = Gauges("bitwright_worker_slots", "Tasks that the workers can run at once").Add({});
  prometheus::Gauge& busy = Gauges("bitwright_worker_slots_busy", "Tasks that the workers run").Add({});
  prometheus::Gauge& blobs = Gauges("bitwright_blobs", "Blobs held").Add({});
  prometheus::Gauge& blob_bytes = Gauges("bitwright_blob_bytes", "Bytes of the blobs held").Add({});
  prometheus::Counter& hits = Counter("bitwright_action_cache_hits_total", "Tasks answered from the action cache");
  prometheus::Counter& misses = Counter("bitwright_action_cache_misses_total", "Tasks that had to run");
  prometheus::Counter& uploaded = Counter("bitwright_upload_bytes_total", "Bytes received by ByteStream.Write");
  prometheus::Counter& expiries = Counter("bitwright_lease_expiries_total", "Leases that ran out");
  prometheus::Counter& retries = Counter("bitwright_task_retries_total", "Attempts repeated after a worker's fault");
  prometheus::Counter& collected = Counter("bitwright_blobs_collected_total", "Blobs removed as unused");
  std::unique_ptr<prometheus::Exposer> exposer;

  prometheus::Family<Histogram>& Histograms(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry);
  }
  prometheus::Family<prometheus::Gauge>& Gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(*registry);
  }
  prometheus::Counter& Counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(*registry).Add({});
  }
};

Metrics::Metrics() : series_(std::make_unique<Series>()) {}
Metrics::~Metrics() = default;

void Metrics::RpcDone(std::string_view method, absl::StatusCode code, double seconds) {
  Guarded([&] {
    series_->rpc.Add({{"method", std::string(method)}, {"code", absl::StatusCodeToString(code)}}, Seconds())
        .Observe(seconds);
  });
}

void Metrics::TaskLeased(double waited_seconds) {
  Guarded([&] { series_->wait.Observe(waited_seconds); });
}

void Metrics::TaskDone(std::string_view kind, double seconds) {
  Guarded([&] { series_->task.Add({{"kind", std::string(kind)}}, Seconds()).Observe(seconds); });
}

void Metrics::CacheHit() { series_->hits.Increment(); }
void Metrics::CacheMiss() { series_->misses.Increment(); }
void Metrics::Uploaded(int64_t bytes) { series_->uploaded.Increment(static_cast<double>(bytes)); }
void Metrics::LeaseExpired() { series_->expiries.Increment(); }
void Metrics::TaskRetried() { series_->retries.Increment(); }
void Metrics::BlobsCollected(int64_t count) { series_->collected.Increment(static_cast<double>(count)); }

void Metrics::SetJobs(std::string_view state, int64_t count) {
  Guarded([&] { series_->jobs.Add({{"state", std::string(state)}}).Set(static_cast<double>(count)); });
}

void Metrics::SetTasks(std::string_view state, int64_t count) {
  Guarded([&] { series_->tasks.Add({{"state", std::string(state)}}).Set(static_cast<double>(count)); });
}

void Metrics::SetSlots(int total, int busy) {
  series_->slots.Set(total);
  series_->busy.Set(busy);
}

void Metrics::SetBlobs(int64_t count, int64_t bytes) {
  series_->blobs.Set(static_cast<double>(count));
  series_->blob_bytes.Set(static_cast<double>(bytes));
}

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(series_->registry->Collect()); }

absl::StatusOr<int> Metrics::Serve(const std::string& address) {
  try {
    series_->exposer = std::make_unique<prometheus::Exposer>(address, 1);
    series_->exposer->RegisterCollectable(series_->registry);
    const auto ports = series_->exposer->GetListeningPorts();
    return ports.empty() ? 0 : ports.front();
  } catch (const std::exception& error) {
    LOG(ERROR) << "metrics at " << address << ": " << error.what();
    return MetricsListenFailedError(address);
  }
}

}  // namespace bitwright::server
