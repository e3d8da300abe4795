#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"

namespace grpc {
class Channel;
}

namespace bitwright::worker {

// A worker's side of WorkerService. It registers itself, again whenever the server has forgotten it (WORKER_UNKNOWN),
// and then repeats the call once under the new name. A cancelled token ends a call with CANCELLED, reason
// INTERRUPTED. Thread-safe.
class WorkerClient {
 public:
  WorkerClient(std::shared_ptr<grpc::Channel> channel, v1::WorkerCapacity capacity);
  ~WorkerClient();

  // Tries until the server answers. CANCELLED, or an error that another attempt would meet again.
  absl::Status Register(const CancelToken& cancel);
  absl::Duration heartbeat_interval() const;

  // At most `wait`; a response without a lease when there is no task, or no small one if only such are asked for.
  absl::StatusOr<v1::LeaseTaskResponse> Lease(absl::Duration wait, bool small_only, const CancelToken& cancel);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(v1::HeartbeatRequest request, const CancelToken& cancel);
  // Both try for a minute while the connection is broken, and for as long as the server's disk is full. ABORTED, reason
  // LEASE_LOST. A result that does not fit a message (limits::kMaxMessageBytes, which bounds leases too) is not sent:
  // INVALID_ARGUMENT, reason RESULT_TOO_LARGE; an error that does not fit is replaced by that one.
  absl::Status Complete(const v1::Lease& lease, const v1::TaskResult& result, const CancelToken& cancel);
  absl::Status Fail(const v1::Lease& lease, const absl::Status& error, bool machinery, const CancelToken& cancel);
  // One attempt of at most two seconds.
  absl::Status Deregister();

 private:
  struct Stub;
  absl::Status RegisterOnce(const CancelToken& cancel);
  absl::Status Renew(const std::string& forgotten, const CancelToken& cancel);
  template <typename Request, typename Response, typename Method>
  absl::Status Call(Method method, Request request, Response& response, absl::Duration limit,
                    const CancelToken& cancel);
  template <typename Request, typename Response, typename Method>
  absl::Status Persist(Method method, const Request& request, const CancelToken& cancel);
  std::string worker() const;

  std::unique_ptr<Stub> stub_;
  const v1::WorkerCapacity capacity_;
  const SystemClock clock_;
  absl::Mutex registering_;  // one registration at a time
  mutable absl::Mutex mutex_;
  std::string worker_ ABSL_GUARDED_BY(mutex_);
  absl::Duration heartbeat_interval_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(3);
};

}  // namespace bitwright::worker
