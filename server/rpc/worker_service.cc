#include "bitwright/v1/workers.grpc.pb.h"
#include "proto/base/wire_time.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/lease_call.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

constexpr absl::Duration kListed = absl::Minutes(1);

class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  WorkerService(RpcEnvironment& environment, Scheduler& scheduler, const Clock& clock, absl::Duration heartbeat)
      : environment_(environment), scheduler_(scheduler), clock_(clock), heartbeat_(heartbeat) {}

  ServerUnaryReactor* RegisterWorker(CallbackServerContext* context, const v1::RegisterWorkerRequest* request,
                                     v1::RegisterWorkerResponse* response) override {
    return RunUnary(environment_, context, "RegisterWorker", [=, this] {
      response->set_worker(scheduler_.RegisterWorker(request->capacity()));
      *response->mutable_heartbeat_interval() = ToProto(heartbeat_);
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* LeaseTask(CallbackServerContext*, const v1::LeaseTaskRequest* request,
                                v1::LeaseTaskResponse* response) override {
    return StartLeaseCall(environment_, scheduler_, *request, response);
  }

  ServerUnaryReactor* Heartbeat(CallbackServerContext* context, const v1::HeartbeatRequest* request,
                                v1::HeartbeatResponse* response) override {
    return RunUnary(environment_, context, "Heartbeat",
                    [=, this] { return Fill(response, scheduler_.Heartbeat(*request)); });
  }

  ServerUnaryReactor* CompleteTask(CallbackServerContext* context, const v1::CompleteTaskRequest* request,
                                   v1::CompleteTaskResponse*) override {
    return RunUnary(environment_, context, "CompleteTask", [=, this] { return scheduler_.CompleteTask(*request); });
  }

  ServerUnaryReactor* FailTask(CallbackServerContext* context, const v1::FailTaskRequest* request,
                               v1::FailTaskResponse*) override {
    return RunUnary(environment_, context, "FailTask", [=, this] { return scheduler_.FailTask(*request); });
  }

  ServerUnaryReactor* DeregisterWorker(CallbackServerContext* context, const v1::DeregisterWorkerRequest* request,
                                       v1::DeregisterWorkerResponse*) override {
    return RunUnary(environment_, context, "DeregisterWorker", [=, this] {
      scheduler_.DeregisterWorker(request->worker());
      return absl::OkStatus();
    });
  }

  ServerUnaryReactor* ListWorkers(CallbackServerContext* context, const v1::ListWorkersRequest*,
                                  v1::ListWorkersResponse* response) override {
    return RunUnary(environment_, context, "ListWorkers", [=, this] {
      const absl::Time cutoff = clock_.Now() - kListed;
      for (v1::Worker& worker : scheduler_.ListWorkers()) {
        if (FromProto(worker.last_seen()) >= cutoff) *response->add_workers() = std::move(worker);
      }
      return absl::OkStatus();
    });
  }

 private:
  RpcEnvironment& environment_;
  Scheduler& scheduler_;
  const Clock& clock_;
  const absl::Duration heartbeat_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeWorkerService(RpcEnvironment& environment, Scheduler& scheduler, const Clock& clock,
                                                 absl::Duration heartbeat) {
  return std::make_unique<WorkerService>(environment, scheduler, clock, heartbeat);
}

}  // namespace bitwright::server
