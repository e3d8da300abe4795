#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "bitwright/v1/workers.pb.h"
#include "workers/agent/stop_signal.h"

namespace grpc {
class Channel;
}

namespace bitwright::worker {

// A worker's side of WorkerService. It registers itself, again whenever the server has forgotten it (WORKER_UNKNOWN),
// and then repeats the call once under the new name. Calls end early with CANCELLED when `stop` is set. Thread-safe.
class WorkerClient {
 public:
  WorkerClient(std::shared_ptr<grpc::Channel> channel, v1::WorkerCapacity capacity);
  ~WorkerClient();

  // Tries until the server answers. CANCELLED, reason AGENT_STOPPING; or an error that trying again does not mend.
  absl::Status Register(StopSignal& stop);
  absl::Duration heartbeat_interval() const;

  // At most `wait`; a response without a lease when there is no task.
  absl::StatusOr<v1::LeaseTaskResponse> Lease(absl::Duration wait, StopSignal& stop);
  absl::StatusOr<v1::HeartbeatResponse> Heartbeat(const std::vector<v1::HeartbeatRequest::Running>& running,
                                                  StopSignal& stop);
  // Both try for a minute while the connection is broken. ABORTED, reason LEASE_LOST.
  absl::Status Complete(const v1::Lease& lease, const v1::TaskResult& result, StopSignal& stop);
  absl::Status Fail(const v1::Lease& lease, const absl::Status& error, bool machinery, StopSignal& stop);
  // One attempt of at most two seconds.
  absl::Status Deregister();

 private:
  struct Stub;
  absl::Status RegisterOnce(StopSignal& stop);
  absl::Status Renew(const std::string& forgotten, StopSignal& stop);
  template <typename Request, typename Response, typename Method>
  absl::Status Call(Method method, Request request, Response& response, absl::Duration limit, StopSignal& stop);
  template <typename Request, typename Response, typename Method>
  absl::Status Persist(Method method, const Request& request, StopSignal& stop);
  std::string worker() const;

  std::unique_ptr<Stub> stub_;
  const v1::WorkerCapacity capacity_;
  absl::Mutex registering_;  // one registration at a time
  mutable absl::Mutex mutex_;
  std::string worker_ ABSL_GUARDED_BY(mutex_);
  absl::Duration heartbeat_interval_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(3);
};

}  // namespace bitwright::worker
