#include "bitwright/v1/workers.grpc.pb.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/lease_call.h"
#include "server/rpc/services.h"
#include "server/scheduler/timestamps.h"

namespace bitwright {
namespace {

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

constexpr int64_t kListedMicros = 60 * kMicrosPerSecond;

class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  WorkerService(RpcEnvironment& environment, Scheduler& scheduler, const Clock& clock, int64_t heartbeat_micros)
      : environment_(environment), scheduler_(scheduler), clock_(clock), heartbeat_micros_(heartbeat_micros) {}

  ServerUnaryReactor* RegisterWorker(CallbackServerContext* context, const v1::RegisterWorkerRequest* request,
                                     v1::RegisterWorkerResponse* response) override {
    return RunUnary(environment_, context, "RegisterWorker", [=, this] {
      response->set_worker(scheduler_.RegisterWorker(request->capacity()));
      *response->mutable_heartbeat_interval() = ToDuration(heartbeat_micros_);
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
      const int64_t cutoff = clock_.NowMicros() - kListedMicros;
      for (v1::Worker& worker : scheduler_.ListWorkers()) {
        if (ToMicros(worker.last_seen()) >= cutoff) *response->add_workers() = std::move(worker);
      }
      return absl::OkStatus();
    });
  }

 private:
  RpcEnvironment& environment_;
  Scheduler& scheduler_;
  const Clock& clock_;
  const int64_t heartbeat_micros_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeWorkerService(RpcEnvironment& environment, Scheduler& scheduler, const Clock& clock,
                                                 int64_t heartbeat_micros) {
  return std::make_unique<WorkerService>(environment, scheduler, clock, heartbeat_micros);
}

}  // namespace bitwright
