#include "server/rpc/watch_stream.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/jobs/job_state.h"
#include "server/rpc/rpc_errors.h"
#include "server/scheduler/scheduler_errors.h"

namespace bitwright::server {
namespace {

struct JobSource {
  using Request = v1::WatchJobRequest;
  using Message = v1::Job;
  static constexpr const Method& kMethod = kWatchJob;
  JobResources& jobs;

  absl::StatusOr<v1::Job> Get(const CallContext& call, const std::string& name) const { return jobs.Get(call, name); }
  static bool IsLast(const v1::Job& job) { return IsTerminal(job.state()); }
};

struct ModelSource {
  using Request = v1::WatchModelRequest;
  using Message = v1::Model;
  static constexpr const Method& kMethod = kWatchModel;
  ModelResources& models;

  absl::StatusOr<v1::Model> Get(const CallContext& call, const std::string& name) const {
    return models.Get(call, name);
  }
  static bool IsLast(const v1::Model& model) { return model.state() != v1::Model::INSPECTING; }
};

// gRPC holds one reference until OnDone; notifications hold weak ones, posted steps strong ones.
template <typename Source>
class WatchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                          public std::enable_shared_from_this<WatchStream<Source>> {
 public:
  WatchStream(RpcEnvironment& environment, grpc::CallbackServerContext* context, Source source, Scheduler& scheduler)
      : environment_(environment),
        source_(source),
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
    name_ = request.name();
    subscription_ = scheduler_.Subscribe(name_, [weak = this->weak_from_this()] {
      if (const auto stream = weak.lock()) stream->PostStep();
    });
    return environment_.lane.Admit([stream = this->shared_from_this()] { stream->Step(); });
  }

  // At most one step waits, however often the resource changes.
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
    const absl::StatusOr<typename Source::Message> now = source_.Get(scope_.call(), name_);
    if (!now.ok()) return Close(now.status());
    if (now->revision() > sent_revision_) {
      sent_revision_ = now->revision();
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
  const Source source_;
  Scheduler& scheduler_;
  std::string name_;  // set before the first step
  CallScope scope_;
  std::shared_ptr<WatchStream> self_;
  int64_t subscription_ = 0;
  absl::Mutex mutex_;
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;  // a step waits in the lane
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool last_sent_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t sent_revision_ ABSL_GUARDED_BY(mutex_) = -1;  // a model of an older version may have 0
  grpc::ByteBuffer message_;
};

template <typename Source>
grpc::ServerWriteReactor<grpc::ByteBuffer>* Start(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                                  Source source, Scheduler& scheduler,
                                                  const grpc::ByteBuffer& request) {
  const auto stream = std::make_shared<WatchStream<Source>>(environment, context, source, scheduler);
  stream->Start(request);
  return stream.get();
}

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartJobWatch(RpcEnvironment& environment,
                                                          grpc::CallbackServerContext* context, JobResources& jobs,
                                                          Scheduler& scheduler, const grpc::ByteBuffer& request) {
  return Start(environment, context, JobSource{jobs}, scheduler, request);
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartModelWatch(RpcEnvironment& environment,
                                                            grpc::CallbackServerContext* context,
                                                            ModelResources& models, Scheduler& scheduler,
                                                            const grpc::ByteBuffer& request) {
  return Start(environment, context, ModelSource{models}, scheduler, request);
}

}  // namespace bitwright::server
