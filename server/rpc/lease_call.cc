#include "server/rpc/lease_call.h"

#include <algorithm>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "bitwright/v1/workers.pb.h"
#include "proto/base/failpoint.h"
#include "proto/base/wire_time.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kMaxWait = absl::Seconds(20);

// Held by gRPC until OnDone, by the waiting scheduler until it answers, and by the posted step.
class LeaseCall final : public grpc::ServerUnaryReactor, public std::enable_shared_from_this<LeaseCall> {
 public:
  LeaseCall(RpcEnvironment& environment, grpc::CallbackServerContext* context, Scheduler& scheduler,
            grpc::ByteBuffer* response)
      : scheduler_(scheduler), scope_(environment, context, kLeaseTask), response_(response) {}

  void Start(Lane& lane, const grpc::ByteBuffer& bytes) {
    self_ = shared_from_this();
    if (const absl::Status begun = Begin(lane, bytes); !begun.ok()) Finish(scope_.Close(begun));
  }

  void OnCancel() override {
    int64_t waiter = 0;
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
      waiter = waiter_;
    }
    if (waiter != 0) scheduler_.CancelLease(waiter);
  }

  void OnDone() override { self_.reset(); }

 private:
  absl::Status Begin(Lane& lane, const grpc::ByteBuffer& bytes) {
    ABSL_RETURN_IF_ERROR(scope_.Open());
    v1::LeaseTaskRequest request;
    ABSL_RETURN_IF_ERROR(ParseWire(bytes, request));
    const absl::Duration wait = std::clamp(FromProto(request.max_wait()), absl::ZeroDuration(), kMaxWait);
    return lane.Admit([call = self_, worker = request.worker(), wait, small_only = request.small_only()] {
      const int64_t waiter = call->scheduler_.LeaseTask(
          worker, wait, [call](auto lease) { call->Answer(lease); }, small_only);
      call->Waiting(waiter);
    });
  }

  void Waiting(int64_t waiter) {
    bool cancelled = false;
    {
      absl::MutexLock lock(&mutex_);
      waiter_ = waiter;
      cancelled = cancelled_;
    }
    if (cancelled) scheduler_.CancelLease(waiter);
  }

  void Answer(const absl::StatusOr<std::optional<v1::Lease>>& lease) {
    if (lease.ok() && lease->has_value()) Failpoint("lease.answer");
    v1::LeaseTaskResponse response;
    if (lease.ok() && lease->has_value()) {
      if (Cancelled()) {
        scheduler_.ReturnLease(**lease);
      } else {
        *response.mutable_lease() = **lease;
      }
    }
    SerializeWire(response, *response_);
    Finish(scope_.Close(lease.status()));
  }

  bool Cancelled() {
    absl::MutexLock lock(&mutex_);
    return cancelled_;
  }

  Scheduler& scheduler_;
  CallScope scope_;
  grpc::ByteBuffer* response_;
  std::shared_ptr<LeaseCall> self_;
  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t waiter_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

grpc::ServerUnaryReactor* StartLeaseCall(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                         Scheduler& scheduler, const grpc::ByteBuffer& request,
                                         grpc::ByteBuffer* response) {
  const auto call = std::make_shared<LeaseCall>(environment, context, scheduler, response);
  call->Start(environment.lane, request);
  return call.get();
}

}  // namespace bitwright::server
