#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/rpc_errors.h"
#include "server/scheduler/scheduler.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {

// A stream of what somebody wants to know of the scheduler: as it is now, then as it is after changes. Changes that
// come while a message is under way share the next one. A `Source` has
//   using Request, Message; static constexpr const Method& kMethod;
//   absl::Status Open(const Request&);                      once, before all others
//   int64_t Subscribe(Scheduler&, std::function<void()>);   to what may change it
//   absl::StatusOr<Message> Get(const CallContext&);        as it is now
//   bool IsNews(const Message&);                            whether it is to be sent; then it was
//   static bool IsLast(const Message&);                     it changes no more
// gRPC holds one reference until OnDone; notifications hold weak ones, posted steps strong ones.
template <typename Source>
class WatchReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                           public std::enable_shared_from_this<WatchReactor<Source>> {
 public:
  WatchReactor(RpcEnvironment& environment, grpc::CallbackServerContext* context, Source source, Scheduler& scheduler)
      : environment_(environment),
        source_(std::move(source)),
        scheduler_(scheduler),
        scope_(environment, context, Source::kMethod) {}

  void Start(const grpc::ByteBuffer& bytes) {
    self_ = this->shared_from_this();
    if (const absl::Status begun = Begin(bytes); !begun.ok()) {
      absl::MutexLock lock(&mutex_);
      Close(begun);
    }
  }

  void OnWriteDone(bool ok) override {
    {
      absl::MutexLock lock(&mutex_);
      writing_ = false;
      broken_ |= !ok;
    }
    PostStep();
  }

  void OnCancel() override {
    {
      absl::MutexLock lock(&mutex_);
      broken_ = true;
    }
    PostStep();
  }

  void OnDone() override {
    scheduler_.Unsubscribe(subscription_);
    self_.reset();
  }

 private:
  absl::Status Begin(const grpc::ByteBuffer& bytes) {
    ABSL_RETURN_IF_ERROR(scope_.Open());
    typename Source::Request request;
    ABSL_RETURN_IF_ERROR(ParseWire(bytes, request));
    ABSL_RETURN_IF_ERROR(source_.Open(request));
    subscription_ = source_.Subscribe(scheduler_, [weak = this->weak_from_this()] {
      if (const auto stream = weak.lock()) stream->PostStep();
    });
    return environment_.lane.Admit([stream = this->shared_from_this()] { stream->Step(); });
  }

  // At most one step waits, however often there is a change.
  void PostStep() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(posted_, true)) return;
    }
    environment_.lane.Post([stream = this->shared_from_this()] { stream->Step(); });
  }

  // Sends what is new or ends the stream; without effect while a message is under way.
  void Step() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    posted_ = false;
    if (writing_ || finished_) return;
    if (broken_) return Close(CallCancelledError());
    if (last_sent_) return Close(absl::OkStatus());
    const absl::StatusOr<typename Source::Message> now = source_.Get(scope_.call());
    if (!now.ok()) return Close(now.status());
    if (source_.IsNews(*now)) {
      last_sent_ = Source::IsLast(*now);
      writing_ = true;
      SerializeWire(*now, message_);
      this->StartWrite(&message_);
    } else if (scheduler_.draining()) {
      Close(ServerDrainingError());
    }
  }

  void Close(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    finished_ = true;
    this->Finish(scope_.Close(status));
  }

  RpcEnvironment& environment_;
  Source source_;  // used by one step at a time
  Scheduler& scheduler_;
  CallScope scope_;
  std::shared_ptr<WatchReactor> self_;
  int64_t subscription_ = 0;
  absl::Mutex mutex_;
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;  // a step waits in the lane
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool last_sent_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer message_;
};

// Begins such a stream; it owns itself.
template <typename Source>
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartWatch(RpcEnvironment& environment,
                                                       grpc::CallbackServerContext* context, Source source,
                                                       Scheduler& scheduler, const grpc::ByteBuffer& request) {
  const auto stream = std::make_shared<WatchReactor<Source>>(environment, context, std::move(source), scheduler);
  stream->Start(request);
  return stream.get();
}

}  // namespace bitwright::server
