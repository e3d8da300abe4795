#include "server/observe/metrics.h"

#include <prometheus/text_serializer.h>

#include <exception>

#include "proto/base/log.h"
#include "server/observe/observe_errors.h"
#include "server/observe/series.h"

namespace bitwright::server {
namespace {

// prometheus-cpp throws for misuse and for lack of memory: a metric is never worth a request.
template <typename Body>
void Guarded(Body body) {
  try {
    body();
  } catch (const std::exception& error) {
    LOG(ERROR) << "a metric was lost: " << error.what();
  }
}

prometheus::Labels Label(const char* name, std::string_view value) { return {{name, std::string(value)}}; }

prometheus::Labels LabelsOf(const WorkerKind& kind) {
  return {{"device", kind.device}, {"compute_class", kind.compute_class}};
}

prometheus::Labels CallLabels(std::string_view method, absl::StatusCode code) {
  return {{"method", std::string(method)}, {"code", absl::StatusCodeToString(code)}};
}

}  // namespace

// Counters that alerts look at are there from the start: what appears with its first count has no increase.
Metrics::Metrics() : series_(std::make_unique<Series>()) {
  for (const char* outcome : {"succeeded", "failed", "cancelled"}) series_->ended.Add(Label("outcome", outcome));
  for (const char* quota : {"bytes", "queued_jobs"}) series_->quotas.Add(Label("quota", quota));
  for (const char* reason : {"queue_full", "refused", "undelivered"})
    series_->spans_dropped.Add(Label("reason", reason));
}
Metrics::~Metrics() = default;

void Metrics::RpcDone(std::string_view method, absl::StatusCode code, double seconds) {
  Guarded([&] {
    series_->rpcs.Add(CallLabels(method, code)).Increment();
    series_->rpc.Add(Label("method", method), Series::Seconds()).Observe(seconds);
  });
}

void Metrics::StreamOpened(std::string_view method) {
  Guarded([&] { series_->streams.Add(Label("method", method)).Increment(); });
}

void Metrics::StreamDone(std::string_view method, absl::StatusCode code, double seconds) {
  Guarded([&] {
    series_->streams.Add(Label("method", method)).Decrement();
    series_->rpcs.Add(CallLabels(method, code)).Increment();
    series_->stream.Add(Label("method", method), Series::Seconds()).Observe(seconds);
  });
}

void Metrics::Uploaded(int64_t bytes) { series_->uploaded.Increment(static_cast<double>(bytes)); }

std::function<void(int64_t)> Metrics::LaneDepth(std::string_view lane) {
  prometheus::Gauge* gauge = nullptr;
  Guarded([&] {
    gauge = &series_->lanes.Add(Label("lane", lane));
    series_->refused.Add(Label("lane", lane));
  });
  return [gauge](int64_t depth) {
    if (gauge != nullptr) gauge->Set(static_cast<double>(depth));
  };
}

void Metrics::LaneRefused(std::string_view lane) {
  Guarded([&] { series_->refused.Add(Label("lane", lane)).Increment(); });
}

void Metrics::TaskLeased(double waited_seconds) {
  Guarded([&] { series_->wait.Observe(waited_seconds); });
}

void Metrics::TaskDone(std::string_view kind, double seconds) {
  Guarded([&] { series_->task.Add(Label("kind", kind), Series::Seconds()).Observe(seconds); });
}

void Metrics::WorkerBusy(const WorkerKind& kind, double seconds) {
  Guarded([&] {
    const WorkerKind bound = series_->BoundKind(kind);
    series_->busy_seconds.Add(LabelsOf(bound)).Increment(seconds);
  });
}

void Metrics::CacheHit() { series_->hits.Increment(); }
void Metrics::CacheMiss() { series_->misses.Increment(); }
void Metrics::LeaseExpired() { series_->expiries.Increment(); }
void Metrics::TaskRetried() { series_->retries.Increment(); }

void Metrics::JobEnded(std::string_view outcome) {
  Guarded([&] { series_->ended.Add(Label("outcome", outcome)).Increment(); });
}

void Metrics::JobFailed(std::string_view reason) {
  Guarded([&] { series_->failed.Add(Label("reason", series_->failure_reasons.Bound(reason))).Increment(); });
}

void Metrics::ExpectArtifact(std::string_view target, std::string_view verdict) {
  Guarded([&] {
    series_->artifacts.Add({{"target", std::string(target)}, {"verdict", std::string(verdict)}});
    series_->divergence.Add(Label("target", target), Series::Nats());
    series_->bits.Add(Label("target", target), Series::Bits());
  });
}

void Metrics::ArtifactMade(std::string_view target, std::string_view verdict, double kl_divergence,
                           double average_bits) {
  Guarded([&] {
    series_->artifacts.Add({{"target", std::string(target)}, {"verdict", std::string(verdict)}}).Increment();
    series_->divergence.Add(Label("target", target), Series::Nats()).Observe(kl_divergence);
    series_->bits.Add(Label("target", target), Series::Bits()).Observe(average_bits);
  });
}

void Metrics::SchedulerWaited(double seconds) {
  Guarded([&] { series_->turn.Observe(seconds); });
}

void Metrics::SetJobs(std::string_view state, int64_t count) {
  Guarded([&] { series_->jobs.Add(Label("state", state)).Set(static_cast<double>(count)); });
}

void Metrics::SetOldestQueuedJob(double age_seconds) { series_->oldest.Set(age_seconds); }

void Metrics::SetTasks(std::string_view state, int64_t count) {
  Guarded([&] { series_->tasks.Add(Label("state", state)).Set(static_cast<double>(count)); });
}

void Metrics::SetWaiting(std::string_view reason, int64_t tasks) {
  Guarded([&] { series_->waiting.Add(Label("reason", reason)).Set(static_cast<double>(tasks)); });
}

void Metrics::SetSlots(const std::map<WorkerKind, Slots>& slots) {
  Guarded([&] {
    // Kinds of before that are gone have none.
    std::map<WorkerKind, Slots> now;
    for (const WorkerKind& kind : series_->Kinds()) now[kind] = {};
    for (const auto& [kind, some] : slots) {
      Slots& all = now[series_->BoundKind(kind)];
      all.total += some.total;
      all.busy += some.busy;
      all.device_memory_bytes += some.device_memory_bytes;
    }
    for (const auto& [kind, all] : now) {
      const prometheus::Labels labels = LabelsOf(kind);
      series_->slots.Add(labels).Set(all.total);
      series_->busy.Add(labels).Set(all.busy);
      series_->device_memory.Add(labels).Set(static_cast<double>(all.device_memory_bytes));
    }
  });
}

void Metrics::Committed(double seconds, int64_t transactions) {
  Guarded([&] {
    series_->commit.Observe(seconds);
    series_->batch.Observe(static_cast<double>(transactions));
  });
}

void Metrics::BlobsCollected(int64_t count) { series_->collected.Increment(static_cast<double>(count)); }
void Metrics::BlobsLost(int64_t count) { series_->lost.Increment(static_cast<double>(count)); }

void Metrics::SetBlobs(int64_t count, int64_t bytes) {
  series_->blobs.Set(static_cast<double>(count));
  series_->blob_bytes.Set(static_cast<double>(bytes));
}

void Metrics::QuotaRefused(std::string_view quota) {
  Guarded([&] { series_->quotas.Add(Label("quota", quota)).Increment(); });
}

void Metrics::SetDisk(int64_t free_bytes, int64_t total_bytes) {
  series_->disk_free.Set(static_cast<double>(free_bytes));
  series_->disk_size.Set(static_cast<double>(total_bytes));
}

void Metrics::SpansSent(int64_t count) { series_->spans_sent.Increment(static_cast<double>(count)); }

void Metrics::SpansDropped(std::string_view reason, int64_t count) {
  Guarded([&] { series_->spans_dropped.Add(Label("reason", reason)).Increment(static_cast<double>(count)); });
}

void Metrics::SetBuild(const std::string& version, const std::string& grpc, const std::string& protobuf) {
  Guarded([&] { series_->build.Add({{"version", version}, {"grpc", grpc}, {"protobuf", protobuf}}).Set(1); });
}

std::string Metrics::Text() const { return prometheus::TextSerializer().Serialize(series_->registry->Collect()); }

absl::StatusOr<int> Metrics::Serve(const std::string& address) {
  try {
    series_->exposer = std::make_unique<prometheus::Exposer>(address, 1);
    series_->exposer->RegisterCollectable(series_->registry);
    const auto ports = series_->exposer->GetListeningPorts();
    return ports.empty() ? 0 : ports.front();
  } catch (const std::exception& error) {
    LOG(INFO) << "metrics at " << address << ": " << error.what();
    return MetricsListenFailedError(address);
  }
}

}  // namespace bitwright::server
