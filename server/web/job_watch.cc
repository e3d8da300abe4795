#include "server/web/job_watch.h"

#include <grpcpp/channel.h>
#include <grpcpp/completion_queue.h>

#include <utility>

#include "bitwright/v1/jobs.grpc.pb.h"
#include "proto/transfer/grpc_calls.h"

namespace bitwright::server {
namespace {

constexpr absl::Duration kLongest = absl::Hours(24 * 7);  // a browser that still listens then asks again

v1::WatchJobRequest Watched(const std::string& job) {
  v1::WatchJobRequest request;
  request.set_name(job);
  return request;
}

}  // namespace

// One step of the call is under way at any time: its start, a read, or its end.
struct JobWatch::Call {
  Call(const Gateway& gateway, const std::string& job)
      : channel(gateway.channel()),
        cancel(gateway.cancel()),
        attempt(cancel, kLongest),
        stub(v1::JobService::NewStub(channel)),
        reader(stub->AsyncWatchJob(attempt.context(), Watched(job), &queue, this)) {}

  ~Call() {
    attempt.context()->TryCancel();
    // What is under way ends at once now; the queue must be empty before it goes.
    if (step != Step::kOver) Await(absl::InfiniteFuture());
    if (step == Step::kStart || step == Step::kRead) {
      reader->Finish(&status, this);
      Await(absl::InfiniteFuture());
    }
    queue.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue.Next(&tag, &ok)) {
    }
  }

  // Nothing: not until then; else whether the step that was under way succeeded.
  std::optional<bool> Await(absl::Time until) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue.AsyncNext(&tag, &ok, absl::ToChronoTime(until));
    if (next == grpc::CompletionQueue::TIMEOUT) return std::nullopt;
    return next == grpc::CompletionQueue::GOT_EVENT && ok;
  }

  void Read() {
    step = Step::kRead;
    reader->Read(&message, this);
  }
  void Finish() {
    step = Step::kEnd;
    reader->Finish(&status, this);
  }

  const std::shared_ptr<grpc::Channel> channel;
  const CancelToken& cancel;
  Attempt attempt;
  grpc::CompletionQueue queue;
  const std::unique_ptr<v1::JobService::Stub> stub;
  v1::Job message;
  grpc::Status status;
  enum class Step { kStart, kRead, kEnd, kOver } step = Step::kStart;
  const std::unique_ptr<grpc::ClientAsyncReader<v1::Job>> reader;
};

JobWatch::JobWatch(const Gateway& gateway, const std::string& job) : call_(std::make_unique<Call>(gateway, job)) {}

JobWatch::~JobWatch() = default;

absl::StatusOr<JobWatch::Event> JobWatch::Next(absl::Duration patience) {
  const absl::Time until = absl::Now() + patience;
  while (call_->step != Call::Step::kOver) {
    const std::optional<bool> done = call_->Await(until);
    if (!done) return Event();
    switch (call_->step) {
      case Call::Step::kStart:
        *done ? call_->Read() : call_->Finish();
        break;
      case Call::Step::kRead: {
        if (!*done) {
          call_->Finish();
          break;
        }
        Event event{.job = std::exchange(call_->message, v1::Job())};
        call_->Read();
        return event;
      }
      case Call::Step::kEnd: {
        call_->step = Call::Step::kOver;
        const absl::Status status = FromAttempt(call_->status, call_->cancel);
        if (!status.ok()) return status;
        break;
      }
      case Call::Step::kOver:
        break;
    }
  }
  return Event{.ended = true};
}

}  // namespace bitwright::server
