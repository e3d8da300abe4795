#include "bitwright/v1/workers.grpc.pb.h"
#include "proto/base/failpoint.h"
#include "proto/base/wire_time.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/lease_call.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using grpc::ByteBuffer;
using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;
using RawWorkerService =
    v1::WorkerService::WithRawCallbackMethod_RegisterWorker<v1::WorkerService::WithRawCallbackMethod_LeaseTask<
        v1::WorkerService::WithRawCallbackMethod_Heartbeat<v1::WorkerService::WithRawCallbackMethod_CompleteTask<
            v1::WorkerService::WithRawCallbackMethod_FailTask<v1::WorkerService::WithRawCallbackMethod_DeregisterWorker<
                v1::WorkerService::WithRawCallbackMethod_ListWorkers<v1::WorkerService::Service>>>>>>>;

class WorkerService final : public RawWorkerService {
 public:
  WorkerService(RpcEnvironment& environment, Scheduler& scheduler, WorkerResources& workers, absl::Duration heartbeat)
      : environment_(environment), scheduler_(scheduler), workers_(workers), heartbeat_(heartbeat) {}

  ServerUnaryReactor* RegisterWorker(CallbackServerContext* context, const ByteBuffer* request,
                                     ByteBuffer* response) override {
    return RunUnary<v1::RegisterWorkerRequest, v1::RegisterWorkerResponse>(
        environment_, context, kRegisterWorker, request, response,
        [this](const CallContext&, const auto& in, auto& out) -> absl::Status {
          ABSL_ASSIGN_OR_RETURN(*out.mutable_worker(), scheduler_.RegisterWorker(in.capacity()));
          *out.mutable_heartbeat_interval() = ToProto(heartbeat_);
          return absl::OkStatus();
        });
  }

  ServerUnaryReactor* LeaseTask(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return StartLeaseCall(environment_, context, scheduler_, *request, response);
  }

  ServerUnaryReactor* Heartbeat(CallbackServerContext* context, const ByteBuffer* request,
                                ByteBuffer* response) override {
    return RunUnary<v1::HeartbeatRequest, v1::HeartbeatResponse>(environment_, context, kHeartbeat, request, response,
                                                                 [this](const CallContext&, const auto& in, auto& out) {
                                                                   Failpoint("heartbeat.received");
                                                                   return Fill(out, scheduler_.Heartbeat(in));
                                                                 });
  }

  ServerUnaryReactor* CompleteTask(CallbackServerContext* context, const ByteBuffer* request,
                                   ByteBuffer* response) override {
    return RunUnary<v1::CompleteTaskRequest, v1::CompleteTaskResponse>(
        environment_, context, kCompleteTask, request, response, [this](const CallContext&, const auto& in, auto&) {
          Failpoint("completion.received");
          absl::Status status = scheduler_.CompleteTask(in);
          Failpoint("completion.answer");
          return status;
        });
  }

  ServerUnaryReactor* FailTask(CallbackServerContext* context, const ByteBuffer* request,
                               ByteBuffer* response) override {
    return RunUnary<v1::FailTaskRequest, v1::FailTaskResponse>(environment_, context, kFailTask, request, response,
                                                               [this](const CallContext&, const auto& in, auto&) {
                                                                 Failpoint("failure.received");
                                                                 return scheduler_.FailTask(in);
                                                               });
  }

  ServerUnaryReactor* DeregisterWorker(CallbackServerContext* context, const ByteBuffer* request,
                                       ByteBuffer* response) override {
    return RunUnary<v1::DeregisterWorkerRequest, v1::DeregisterWorkerResponse>(
        environment_, context, kDeregisterWorker, request, response, [this](const CallContext&, const auto& in, auto&) {
          scheduler_.DeregisterWorker(in.worker());
          return absl::OkStatus();
        });
  }

  ServerUnaryReactor* ListWorkers(CallbackServerContext* context, const ByteBuffer* request,
                                  ByteBuffer* response) override {
    return RunUnary<v1::ListWorkersRequest, v1::ListWorkersResponse>(
        environment_, context, kListWorkers, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return Fill(out, workers_.List(call, in)); });
  }

 private:
  RpcEnvironment& environment_;
  Scheduler& scheduler_;
  WorkerResources& workers_;
  const absl::Duration heartbeat_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeWorkerService(RpcEnvironment& environment, Scheduler& scheduler,
                                                 WorkerResources& workers, absl::Duration heartbeat) {
  return std::make_unique<WorkerService>(environment, scheduler, workers, heartbeat);
}

}  // namespace bitwright::server
