#include "workers/agent/worker_client.h"

#include <grpcpp/channel.h>

#include <algorithm>

#include "bitwright/v1/workers.grpc.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "proto/base/wire_time.h"
#include "proto/contract/limits.h"
#include "proto/contract/reasons.h"
#include "proto/contract/rpc_status.h"
#include "proto/transfer/grpc_calls.h"
#include "proto/transfer/retry_policy.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

constexpr absl::Duration kCallLimit = absl::Seconds(10);
constexpr absl::Duration kHandInLimit = absl::Minutes(1);
// The worker's name, which Call adds, is still lacking when a message is measured.
constexpr size_t kMostBytes = limits::kMaxMessageBytes - 256;

// Registering and handing in go on as long as it takes or makes sense, not for a count of attempts.
RetryPolicy Patience(absl::Duration give_up) {
  RetryPolicy policy = kWorkerRetries;
  policy.attempts = 0;
  policy.give_up = give_up;
  return policy;
}

bool IsForgotten(const absl::Status& status) {
  return status.code() == absl::StatusCode::kNotFound && ErrorReason(status) == Reason::kWorkerUnknown;
}

}  // namespace

struct WorkerClient::Stub {
  std::unique_ptr<v1::WorkerService::Stub> service;

  template <typename Request, typename Response, typename Method>
  absl::Status Once(Method method, const Request& request, Response& response, absl::Duration limit,
                    const CancelToken& cancel) {
    Attempt attempt(cancel, limit);
    return FromAttempt((service.get()->*method)(attempt.context(), request, &response), cancel);
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

absl::Status WorkerClient::RegisterOnce(const CancelToken& cancel) {
  v1::RegisterWorkerRequest request;
  *request.mutable_capacity() = capacity_;
  v1::RegisterWorkerResponse response;
  ABSL_RETURN_IF_ERROR(stub_->Once(&v1::WorkerService::Stub::RegisterWorker, request, response, kCallLimit, cancel));
  absl::MutexLock lock(&mutex_);
  worker_ = response.worker();
  const absl::Duration interval = FromProto(response.heartbeat_interval());
  if (interval > absl::ZeroDuration()) heartbeat_interval_ = interval;
  LOG(INFO) << "registered as " << worker_ << ", compute class " << capacity_.compute_class();
  return absl::OkStatus();
}

absl::Status WorkerClient::Register(const CancelToken& cancel) {
  const RetryPolicy policy = Patience(absl::InfiniteDuration());
  bool told = false;
  for (RetryLoop retry(policy, clock_, cancel);;) {
    const absl::Status status = RegisterOnce(cancel);
    if (status.ok()) return status;
    if (policy.IsTransient(status) && !std::exchange(told, true)) {
      LOG(WARNING) << "the server does not answer, trying on: " << status;
    }
    ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
  }
}

absl::Status WorkerClient::Renew(const std::string& forgotten, const CancelToken& cancel) {
  absl::MutexLock lock(&registering_);
  if (worker() != forgotten) return absl::OkStatus();  // another call was faster
  return Register(cancel);
}

template <typename Request, typename Response, typename Method>
absl::Status WorkerClient::Call(Method method, Request request, Response& response, absl::Duration limit,
                                const CancelToken& cancel) {
  request.set_worker(worker());
  absl::Status status = stub_->Once(method, request, response, limit, cancel);
  if (!IsForgotten(status)) return status;
  ABSL_RETURN_IF_ERROR(Renew(request.worker(), cancel));
  request.set_worker(worker());
  return stub_->Once(method, request, response, limit, cancel);
}

template <typename Request, typename Response, typename Method>
absl::Status WorkerClient::Persist(Method method, const Request& request, const CancelToken& cancel) {
  RetryPolicy policy = Patience(kHandInLimit);
  policy.waits_for_room = true;
  for (RetryLoop retry(policy, clock_, cancel);;) {
    Response response;
    const absl::Status status = Call(method, request, response, kCallLimit, cancel);
    if (status.ok()) return status;
    if (ErrorReason(status) == Reason::kDiskFull) retry.Progressed();  // it answers, and the lease is kept
    ABSL_RETURN_IF_ERROR(retry.WaitAfter(status));
  }
}

absl::StatusOr<v1::LeaseTaskResponse> WorkerClient::Lease(absl::Duration wait, bool small_only,
                                                          const CancelToken& cancel) {
  const absl::Duration bounded = std::clamp(wait, absl::Milliseconds(1), absl::Seconds(20));
  v1::LeaseTaskRequest request;
  *request.mutable_max_wait() = ToProto(bounded);
  request.set_small_only(small_only);
  v1::LeaseTaskResponse response;
  ABSL_RETURN_IF_ERROR(Call(&v1::WorkerService::Stub::LeaseTask, request, response, bounded + kCallLimit, cancel));
  return response;
}

absl::StatusOr<v1::HeartbeatResponse> WorkerClient::Heartbeat(v1::HeartbeatRequest request, const CancelToken& cancel) {
  v1::HeartbeatResponse response;
  ABSL_RETURN_IF_ERROR(Call(&v1::WorkerService::Stub::Heartbeat, request, response, kCallLimit, cancel));
  return response;
}

absl::Status WorkerClient::Complete(const v1::Lease& lease, const v1::TaskResult& result, const CancelToken& cancel) {
  v1::CompleteTaskRequest request;
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  *request.mutable_result() = result;
  if (request.ByteSizeLong() > kMostBytes) {
    return ResultTooLargeError(lease.task(), request.ByteSizeLong(), limits::kMaxMessageBytes);
  }
  return Persist<v1::CompleteTaskRequest, v1::CompleteTaskResponse>(&v1::WorkerService::Stub::CompleteTask, request,
                                                                    cancel);
}

absl::Status WorkerClient::Fail(const v1::Lease& lease, const absl::Status& error, bool machinery,
                                const CancelToken& cancel) {
  v1::FailTaskRequest request;
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  *request.mutable_error() = ToProto(error);
  request.set_machinery(machinery);
  if (request.ByteSizeLong() > kMostBytes) {
    *request.mutable_error() =
        ToProto(ResultTooLargeError(lease.task(), request.ByteSizeLong(), limits::kMaxMessageBytes));
  }
  return Persist<v1::FailTaskRequest, v1::FailTaskResponse>(&v1::WorkerService::Stub::FailTask, request, cancel);
}

absl::Status WorkerClient::Deregister() {
  const std::string name = worker();
  if (name.empty()) return absl::OkStatus();
  v1::DeregisterWorkerRequest request;
  request.set_worker(name);
  v1::DeregisterWorkerResponse response;
  const CancelToken never;
  return stub_->Once(&v1::WorkerService::Stub::DeregisterWorker, request, response, absl::Seconds(2), never);
}

}  // namespace bitwright::worker
