#include "server/observe/series.h"

namespace bitwright::server {

const Metrics::Series::Buckets& Metrics::Series::Seconds() {
  static const auto& buckets = *new Buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                            1,      2.5,   5,      10,    30,   60,    120,  300, 600,  1800};
  return buckets;
}

const Metrics::Series::Buckets& Metrics::Series::Counts() {
  static const auto& buckets = *new Buckets{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
  return buckets;
}

const Metrics::Series::Buckets& Metrics::Series::Nats() {
  static const auto& buckets =
      *new Buckets{0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};
  return buckets;
}

const Metrics::Series::Buckets& Metrics::Series::Bits() {
  static const auto& buckets = *new Buckets{1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 8, 9, 12, 16};
  return buckets;
}

WorkerKind Metrics::Series::BoundKind(const WorkerKind& kind) {
  WorkerKind bound{devices.Bound(kind.device), compute_classes.Bound(kind.compute_class)};
  absl::MutexLock lock(&mutex_);
  kinds_.insert(bound);
  return bound;
}

std::set<WorkerKind> Metrics::Series::Kinds() {
  absl::MutexLock lock(&mutex_);
  return kinds_;
}

Metrics::Series::Histograms& Metrics::Series::HistogramsOf(const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(*registry);
}

Metrics::Series::Gauges& Metrics::Series::GaugesOf(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry);
}

Metrics::Series::Counters& Metrics::Series::CountersOf(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry);
}

}  // namespace bitwright::server
