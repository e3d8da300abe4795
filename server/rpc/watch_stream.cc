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

// gRPC holds one reference until OnDone; notifications hold weak ones, posted steps strong ones.
class WatchStream final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                          public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(RpcEnvironment& environment, grpc::CallbackServerContext* context, JobResources& jobs,
              Scheduler& scheduler)
      : environment_(environment), jobs_(jobs), scheduler_(scheduler), scope_(environment, context, kWatchJob) {}

  void Start(const grpc::ByteBuffer& bytes) {
    self_ = shared_from_this();
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
    v1::WatchJobRequest request;
    ABSL_RETURN_IF_ERROR(ParseWire(bytes, request));
    job_ = request.name();
    subscription_ = scheduler_.Subscribe(job_, [weak = weak_from_this()] {
      if (const auto stream = weak.lock()) stream->PostStep();
    });
    return environment_.lane.Admit([stream = shared_from_this()] { stream->Step(); });
  }

  // At most one step waits, however often the job changes.
  void PostStep() ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(posted_, true)) return;
    }
    environment_.lane.Post([stream = shared_from_this()] { stream->Step(); });
  }

  // Sends what is new or ends the stream; without effect while a message is under way.
  void Step() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    posted_ = false;
    if (writing_ || finished_) return;
    if (broken_) return Close(CallCancelledError());
    if (terminal_sent_) return Close(absl::OkStatus());
    absl::StatusOr<v1::Job> job = jobs_.Get(scope_.call(), job_);
    if (!job.ok()) return Close(job.status());
    if (job->revision() > sent_revision_) {
      sent_revision_ = job->revision();
      terminal_sent_ = IsTerminal(job->state());
      writing_ = true;
      SerializeWire(*job, message_);
      StartWrite(&message_);
    } else if (scheduler_.draining()) {
      Close(ServerDrainingError());
    }
  }

  void Close(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    finished_ = true;
    Finish(scope_.Close(status));
  }

  RpcEnvironment& environment_;
  JobResources& jobs_;
  Scheduler& scheduler_;
  std::string job_;  // set before the first step
  CallScope scope_;
  std::shared_ptr<WatchStream> self_;
  int64_t subscription_ = 0;
  absl::Mutex mutex_;
  bool posted_ ABSL_GUARDED_BY(mutex_) = false;  // a step waits in the lane
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool terminal_sent_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t sent_revision_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::ByteBuffer message_;
};

}  // namespace

grpc::ServerWriteReactor<grpc::ByteBuffer>* StartWatchStream(RpcEnvironment& environment,
                                                             grpc::CallbackServerContext* context, JobResources& jobs,
                                                             Scheduler& scheduler, const grpc::ByteBuffer& request) {
  const auto stream = std::make_shared<WatchStream>(environment, context, jobs, scheduler);
  stream->Start(request);
  return stream.get();
}

}  // namespace bitwright::server
