#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/base/clock.h"
#include "server/observe/metrics.h"
#include "server/observe/span.h"
#include "server/trace/otlp_endpoint.h"
#include "server/trace/otlp_request.h"
#include "server/trace/span_queue.h"

namespace bitwright::server {

struct TraceExporterOptions {
  OtlpEndpoint endpoint;
  std::string ca_file;  // PEM file of what signs the collector's certificate; empty: what this machine trusts
  TraceResource resource;
  SpanQueueLimits queue;
  absl::Duration call_limit = absl::Seconds(10);  // of one call, as OTEL_EXPORTER_OTLP_TIMEOUT has it by default
  absl::Duration first_pause = absl::Seconds(1);  // after a call that failed; doubled up to `longest_pause`
  absl::Duration longest_pause = absl::Seconds(16);
  absl::Duration give_up = absl::Minutes(1);      // a batch is dropped when it was not taken for so long
  absl::Duration flush_limit = absl::Seconds(2);  // of the destructor
};

// Sends spans to a collector as OTLP over gRPC, in batches, from one thread. Nobody else waits for a collector that is
// slow or away: the queue then fills up, and what it has no room for is dropped. What is dropped is counted in
// bitwright_trace_spans_dropped_total, and the log says so once for each reason. Thread-safe.
class TraceExporter final : public SpanSink {
 public:
  // Connects when there is something to send. The clock and the metrics outlive it.
  // OTLP_CERTIFICATE_INVALID.
  static absl::StatusOr<std::unique_ptr<TraceExporter>> Start(TraceExporterOptions options, const Clock& clock,
                                                              Metrics& metrics);
  ~TraceExporter() override;  // sends what waits, as far as that is done within the limit

  void Take(Span span) override;

 private:
  struct State;
  explicit TraceExporter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bitwright::server
