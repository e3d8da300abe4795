#include "workers/agent/worker_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "absl/time/clock.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/rpc_status.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/backoff.h"

namespace bitwright::worker {
namespace {

constexpr absl::Duration kCallLimit = absl::Seconds(10);
constexpr absl::Duration kHandInLimit = absl::Minutes(1);

absl::Duration FromProtoDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

bool IsForgotten(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound && ErrorReason(status) == "WORKER_UNKNOWN";
}

}  // namespace

struct WorkerClient::Stub {
  std::unique_ptr<v1::WorkerService::Stub> service;

  template <typename Request, typename Response, typename Method>
  absl::Status Once(Method method, const Request& request, Response& response, absl::Duration limit, StopSignal& stop) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + limit));
    const StopSignal::Hook hook(stop, [&] { context.TryCancel(); });
    const absl::Status status = FromGrpc((service.get()->*method)(&context, request, &response));
    return !status.ok() && stop.stopped() ? Stopping() : status;
  }
};

WorkerClient::WorkerClient(std::shared_ptr<grpc::Channel> channel, v1::WorkerCapacity capacity)
    : stub_(new Stub{v1::WorkerService::NewStub(std::move(channel))}), capacity_(std::move(capacity)) {}

WorkerClient::~WorkerClient() = default;

std::string WorkerClient::worker() const {
  absl::MutexLock lock(&mutex_);
  return worker_;
}

absl::Duration WorkerClient::heartbeat_interval() const {
  absl::MutexLock lock(&mutex_);
  return heartbeat_interval_;
}

absl::Status WorkerClient::RegisterOnce(StopSignal& stop) {
  v1::RegisterWorkerRequest request;
  *request.mutable_capacity() = capacity_;
  v1::RegisterWorkerResponse response;
  ABSL_RETURN_IF_ERROR(stub_->Once(&v1::WorkerService::Stub::RegisterWorker, request, response, kCallLimit, stop));
  absl::MutexLock lock(&mutex_);
  worker_ = response.worker();
  const absl::Duration interval = FromProtoDuration(response.heartbeat_interval());
  if (interval > absl::ZeroDuration()) heartbeat_interval_ = interval;
  LOG(INFO) << "registered as " << worker_ << ", compute class " << capacity_.compute_class();
  return absl::OkStatus();
}

absl::Status WorkerClient::Register(StopSignal& stop) {
  Backoff backoff;
  bool told = false;
  while (true) {
    const absl::Status status = RegisterOnce(stop);
    if (status.ok() || stop.stopped() || !IsTransient(status)) return status;
    if (!std::exchange(told, true)) LOG(WARNING) << "the server does not answer, trying on: " << status;
    if (stop.WaitFor(backoff.Next())) return Stopping();
  }
}

absl::Status WorkerClient::Renew(const std::string& forgotten, StopSignal& stop) {
  absl::MutexLock lock(&registering_);
  if (worker() != forgotten) return absl::OkStatus();  // another call was faster
  return Register(stop);
}

template <typename Request, typename Response, typename Method>
absl::Status WorkerClient::Call(Method method, Request request, Response& response, absl::Duration limit,
                                StopSignal& stop) {
  request.set_worker(worker());
  absl::Status status = stub_->Once(method, request, response, limit, stop);
  if (!IsForgotten(status)) return status;
  ABSL_RETURN_IF_ERROR(Renew(request.worker(), stop));
  request.set_worker(worker());
  return stub_->Once(method, request, response, limit, stop);
}

template <typename Request, typename Response, typename Method>
absl::Status WorkerClient::Persist(Method method, const Request& request, StopSignal& stop) {
  const absl::Time deadline = absl::Now() + kHandInLimit;
  Backoff backoff;
  while (true) {
    Response response;
    const absl::Status status = Call(method, request, response, kCallLimit, stop);
    if (status.ok() || stop.stopped() || !IsTransient(status) || absl::Now() > deadline) return status;
    if (stop.WaitFor(backoff.Next())) return Stopping();
  }
}

absl::StatusOr<v1::LeaseTaskResponse> WorkerClient::Lease(absl::Duration wait, StopSignal& stop) {
  const absl::Duration bounded = std::clamp(wait, absl::Milliseconds(1), absl::Seconds(20));
  v1::LeaseTaskRequest request;
  request.mutable_max_wait()->set_seconds(absl::ToInt64Seconds(bounded));
  request.mutable_max_wait()->set_nanos(
      static_cast<int32_t>(absl::ToInt64Nanoseconds(bounded - absl::Seconds(absl::ToInt64Seconds(bounded)))));
  v1::LeaseTaskResponse response;
  ABSL_RETURN_IF_ERROR(Call(&v1::WorkerService::Stub::LeaseTask, request, response, bounded + kCallLimit, stop));
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> WorkerClient::Heartbeat(const std::vector<v1::HeartbeatRequest::Running>& running,
                                                              StopSignal& stop) {
  v1::HeartbeatRequest request;
  for (const auto& one : running) *request.add_running() = one;
  v1::HeartbeatResponse response;
  ABSL_RETURN_IF_ERROR(Call(&v1::WorkerService::Stub::Heartbeat, request, response, kCallLimit, stop));
  return response;
}

absl::Status WorkerClient::Complete(const v1::Lease& lease, const v1::TaskResult& result, StopSignal& stop) {
  v1::CompleteTaskRequest request;
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  *request.mutable_result() = result;
  return Persist<v1::CompleteTaskRequest, v1::CompleteTaskResponse>(&v1::WorkerService::Stub::CompleteTask, request,
                                                                    stop);
}

absl::Status WorkerClient::Fail(const v1::Lease& lease, const absl::Status& error, bool machinery, StopSignal& stop) {
  v1::FailTaskRequest request;
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  *request.mutable_error() = ToProto(error);
  request.set_machinery(machinery);
  return Persist<v1::FailTaskRequest, v1::FailTaskResponse>(&v1::WorkerService::Stub::FailTask, request, stop);
}

absl::Status WorkerClient::Deregister() {
  const std::string name = worker();
  if (name.empty()) return absl::OkStatus();
  v1::DeregisterWorkerRequest request;
  request.set_worker(name);
  v1::DeregisterWorkerResponse response;
  StopSignal never;
  return stub_->Once(&v1::WorkerService::Stub::DeregisterWorker, request, response, absl::Seconds(2), never);
}

}  // namespace bitwright::worker
