#include "server/trace/trace_exporter.h"

#include <grpc/grpc.h>
#include <grpcpp/channel.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <random>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/base/log.h"
#include "proto/base/utf8.h"
#include "proto/transfer/channel.h"
#include "proto/transfer/grpc_calls.h"
#include "proto/transfer/retry_policy.h"
#include "server/trace/otlp_answer.h"
#include "server/trace/trace_errors.h"

namespace bitwright::server {
namespace {

using opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse;
using opentelemetry::proto::collector::trace::v1::TraceService;

constexpr std::string_view kQueueFull = "queue_full", kRefused = "refused", kUndelivered = "undelivered";

RetryPolicy PolicyOf(const TraceExporterOptions& options) {
  return {.first = options.first_pause, .longest = options.longest_pause, .give_up = options.give_up};
}

// A reason to drop spans: counted each time, told once.
class Drops {
 public:
  Drops(std::string_view reason, Metrics& metrics) : reason_(reason), metrics_(metrics) {}
  void Count(int64_t spans, const std::string& why) {
    metrics_.SpansDropped(reason_, spans);
    if (told_.exchange(true)) return;
    LOG(WARNING).With("reason", reason_) << "spans are dropped, now and maybe later: " << why
                                         << "; bitwright_trace_spans_dropped_total counts them";
  }

 private:
  const std::string_view reason_;
  Metrics& metrics_;
  std::atomic<bool> told_{false};
};

}  // namespace

struct TraceExporter::State {
  State(TraceExporterOptions given, std::shared_ptr<grpc::Channel> channel, const Clock& clock_, Metrics& metrics_)
      : options(std::move(given)),
        clock(clock_),
        metrics(metrics_),
        queue(options.queue),
        stub(TraceService::NewStub(channel)) {}

  void Run() {
    for (std::vector<Span> batch = queue.TakeBatch(); !batch.empty(); batch = queue.TakeBatch()) {
      Deliver(ToOtlpRequest(batch, options.resource), static_cast<int64_t>(batch.size()));
    }
    ended.Notify();
  }

  grpc::Status Send(const ExportTraceServiceRequest& request, ExportTraceServiceResponse& response) {
    Attempt call(over, options.call_limit);
    return stub->Export(call.context(), request, &response);
  }

  void Deliver(const ExportTraceServiceRequest& request, int64_t spans) {
    const MonotonicTime give_up_at = clock.Monotonic() + options.give_up;
    for (int attempt = 0;; ++attempt) {
      ExportTraceServiceResponse response;
      const grpc::Status answer = Send(request, response);
      if (answer.ok()) return Delivered(response, spans);
      const std::string why = options.endpoint.address + " answers: " + Printable(answer.error_message());
      const std::optional<absl::Duration> at_least = PauseBeforeNext(answer);
      if (!at_least) return refused.Count(spans, why);
      const absl::Duration pause = std::max(*at_least, PolicyOf(options).Delay(attempt, Random()));
      // At the end there is no time for a pause.
      const bool last = stopping.cancelled() || clock.Monotonic() + pause > give_up_at;
      if (last) return undelivered.Count(spans, why);
      (void)clock.Sleep(pause, stopping);
    }
  }

  void Delivered(const ExportTraceServiceResponse& response, int64_t spans) {
    const int64_t rejected = std::clamp<int64_t>(response.partial_success().rejected_spans(), 0, spans);
    metrics.SpansSent(spans - rejected);
    if (rejected == 0) return;
    refused.Count(rejected,
                  options.endpoint.address + " rejects: " + Printable(response.partial_success().error_message()));
  }

  double Random() { return std::uniform_real_distribution<double>(0, 1)(random); }

  const TraceExporterOptions options;
  const Clock& clock;
  Metrics& metrics;
  SpanQueue queue;
  const std::unique_ptr<TraceService::Stub> stub;
  Drops full{kQueueFull, metrics};
  Drops refused{kRefused, metrics};
  Drops undelivered{kUndelivered, metrics};
  CancelToken stopping;  // no pauses any more
  CancelToken over;      // no calls any more
  absl::Notification ended;
  std::minstd_rand random{std::random_device{}()};
  std::thread thread;
};

TraceExporter::TraceExporter(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->thread = std::thread([state = state_.get()] { state->Run(); });
}

absl::StatusOr<std::unique_ptr<TraceExporter>> TraceExporter::Start(TraceExporterOptions options, const Clock& clock,
                                                                    Metrics& metrics) {
  grpc_init();  // never let go: gRPC 1.51 may wait 10 s for its own poller when the last object goes
  Access access;
  if (options.endpoint.tls) access.tls_ca = options.ca_file.empty() ? kSystemCa : options.ca_file;
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = OpenChannel(options.endpoint.address, access);
  if (!channel.ok()) return OtlpCertificateInvalidError(options.ca_file);  // nothing else can be wrong
  return std::unique_ptr<TraceExporter>(
      new TraceExporter(std::make_unique<State>(std::move(options), *std::move(channel), clock, metrics)));
}

TraceExporter::~TraceExporter() {
  state_->stopping.Cancel();
  state_->queue.Close();
  state_->ended.WaitForNotificationWithTimeout(state_->options.flush_limit);
  state_->over.Cancel();
  state_->thread.join();
}

void TraceExporter::Take(Span span) {
  if (!state_->queue.Put(std::move(span))) state_->full.Count(1, "none are taken as fast as they are made");
}

}  // namespace bitwright::server
