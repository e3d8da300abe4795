#include <optional>
#include <utility>

#include "keda/externalscaler.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/scaled_object.h"
#include "server/rpc/services.h"
#include "server/rpc/watch_reactor.h"

namespace bitwright::server {
namespace {

using externalscaler::ExternalScaler;
using externalscaler::GetMetricSpecResponse;
using externalscaler::GetMetricsRequest;
using externalscaler::GetMetricsResponse;
using externalscaler::IsActiveResponse;
using externalscaler::ScaledObjectRef;
using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using RawScalerService = ExternalScaler::WithRawCallbackMethod_IsActive<
    ExternalScaler::WithRawCallbackMethod_StreamIsActive<ExternalScaler::WithRawCallbackMethod_GetMetricSpec<
        ExternalScaler::WithRawCallbackMethod_GetMetrics<ExternalScaler::Service>>>>;

absl::StatusOr<IsActiveResponse> Activity(Scheduler& scheduler, const WorkerPool& pool) {
  ABSL_ASSIGN_OR_RETURN(const int64_t places, scheduler.PlacesWanted(pool));
  IsActiveResponse response;
  response.set_result(places > 0);
  return response;
}

// For StreamIsActive, which goes on for ever.
struct ActivitySource {
  using Request = ScaledObjectRef;
  using Message = IsActiveResponse;
  static constexpr const Method& kMethod = kStreamIsActive;

  absl::Status Open(const Request& request) {
    ABSL_ASSIGN_OR_RETURN(object, ParseScaledObject(request));
    return absl::OkStatus();
  }
  static int64_t Subscribe(Scheduler& scheduler, std::function<void()> on_look) {
    return scheduler.SubscribeToDemand(std::move(on_look));
  }
  absl::StatusOr<Message> Get(const CallContext&) const { return Activity(scheduler, object.pool); }
  bool IsNews(const Message& now) { return std::exchange(sent, now.result()) != now.result(); }
  static bool IsLast(const Message&) { return false; }

  Scheduler& scheduler;
  ScaledObject object;
  std::optional<bool> sent;
};

class ScalerService final : public RawScalerService {
 public:
  ScalerService(RpcEnvironment& environment, Scheduler& scheduler) : environment_(environment), scheduler_(scheduler) {}

  ServerUnaryReactor* IsActive(CallbackServerContext* context, const ByteBuffer* request,
                               ByteBuffer* response) override {
    return RunUnary<ScaledObjectRef, IsActiveResponse>(
        environment_, context, kIsActive, request, response,
        [this](const CallContext&, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(const ScaledObject object, ParseScaledObject(in));
          return Fill(out, Activity(scheduler_, object.pool));
        });
  }

  grpc::ServerWriteReactor<ByteBuffer>* StreamIsActive(CallbackServerContext* context,
                                                       const ByteBuffer* request) override {
    return StartWatch(environment_, context, ActivitySource{scheduler_, {}, {}}, scheduler_, *request);
  }

  ServerUnaryReactor* GetMetricSpec(CallbackServerContext* context, const ByteBuffer* request,
                                    ByteBuffer* response) override {
    return RunUnary<ScaledObjectRef, GetMetricSpecResponse>(
        environment_, context, kGetMetricSpec, request, response,
        [](const CallContext&, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(const ScaledObject object, ParseScaledObject(in));
          externalscaler::MetricSpec* spec = out.add_metricspecs();
          spec->set_metricname(object.MetricName());
          spec->set_targetsize(object.tasks_per_worker);
          spec->set_targetsizefloat(static_cast<double>(object.tasks_per_worker));
          return absl::OkStatus();
        });
  }

  ServerUnaryReactor* GetMetrics(CallbackServerContext* context, const ByteBuffer* request,
                                 ByteBuffer* response) override {
    return RunUnary<GetMetricsRequest, GetMetricsResponse>(
        environment_, context, kGetMetrics, request, response,
        [this](const CallContext&, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(const ScaledObject object, ParseScaledObject(in.scaledobjectref()));
          if (in.metricname() != object.MetricName()) {
            return ScalerMetricUnknownError(in.metricname(), object.MetricName());
          }
          ABSL_ASSIGN_OR_RETURN(const int64_t places, scheduler_.PlacesWanted(object.pool));
          externalscaler::MetricValue* value = out.add_metricvalues();
          value->set_metricname(object.MetricName());
          value->set_metricvalue(places);
          value->set_metricvaluefloat(static_cast<double>(places));
          return absl::OkStatus();
        });
  }

 private:
  RpcEnvironment& environment_;
  Scheduler& scheduler_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeScalerService(RpcEnvironment& environment, Scheduler& scheduler) {
  return std::make_unique<ScalerService>(environment, scheduler);
}

}  // namespace bitwright::server
