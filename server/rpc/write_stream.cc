#include "server/rpc/write_stream.h"

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "google/bytestream/bytestream.pb.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {
namespace {

using google::bytestream::WriteResponse;
using grpc::ByteBuffer;

constexpr int kTurnsOfStep = 4;

// Two sides: gRPC's threads receive messages into a short queue, and steps on the lane take them out. The object is
// held by gRPC until OnDone and by the step that waits or runs; the last one deletes it.
class WriteStream final : public grpc::ServerReadReactor<ByteBuffer>,
                          public IdleStreams::Stream,
                          public std::enable_shared_from_this<WriteStream> {
 public:
  WriteStream(RpcEnvironment& environment, grpc::CallbackServerContext* context, const UploadParts& parts,
              IdleStreams& idle, ByteBuffer* response)
      : environment_(environment),
        idle_(idle),
        scope_(environment, context, kWriteBlob),
        session_(parts),
        response_(response),
        heard_(environment.clock.Monotonic()) {}

  void Start() {
    self_ = shared_from_this();
    idle_.Add(this);
    const absl::Status opened = scope_.Open();
    absl::MutexLock lock(&mutex_);
    if (!opened.ok()) return Answer(opened);
    ReadNext();
  }

  void OnReadDone(bool ok) override {
    absl::MutexLock lock(&mutex_);
    heard_ = environment_.clock.Monotonic();
    idled_ = false;
    if (ok) {
      received_.push_back(std::exchange(reading_, {}));
    } else {
      ended_ = true;
    }
    is_reading_ = false;
    ReadNext();
    Wake();
  }

  void OnCancel() override {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }

  void OnDone() override {
    idle_.Remove(this);
    self_.reset();
  }

  void EndIfIdle(MonotonicTime since) override {
    absl::MutexLock lock(&mutex_);
    if (heard_ > since || stepping_ || finished_) return;
    idled_ = true;
    Wake();
  }

 private:
  void ReadNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (is_reading_ || ended_ || finished_ || received_.size() >= kMaxWaitingMessages) return;
    is_reading_ = true;
    StartRead(&reading_);
  }

  // The first step may be refused; the later ones belong to a call that was let in.
  void Wake() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (stepping_ || finished_) return;
    stepping_ = true;
    auto step = [stream = shared_from_this()] { stream->Step(); };
    if (std::exchange(admitted_, true)) return environment_.lane.Post(std::move(step));
    if (const absl::Status full = environment_.lane.Admit(std::move(step)); !full.ok()) Answer(full);
  }

  // A few turns, then others of the lane have theirs.
  void Step() {
    for (int turn = 0; turn < kTurnsOfStep; ++turn) {
      if (!Turn()) return;
    }
    environment_.lane.Post([stream = shared_from_this()] { stream->Step(); });
  }

  // Takes one message, or does a part of what it asks for. True: there is more to do.
  bool Turn() ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<absl::Status> end;
    {
      absl::MutexLock lock(&mutex_);
      if (cancelled_) {
        end = CallCancelledError();
      } else if (!message_ && received_.empty() && idled_) {
        end = UploadIdleError(idle_.limit());
      } else if (!message_ && received_.empty() && ended_) {
        end = absl::OkStatus();  // without finish_write
      }
      if (!message_ && !received_.empty()) {
        arrived_ = std::exchange(received_.front(), {});
        received_.pop_front();
        has_arrived_ = true;
        ReadNext();
      }
    }
    if (!end && (message_ || has_arrived_)) end = Take();
    if (end && !response_->Valid()) Respond(session_.Suspend());
    if (end) session_.Suspend();
    absl::MutexLock lock(&mutex_);
    if (end) Answer(*end);
    stepping_ = !end && (message_ || !received_.empty() || ended_ || cancelled_);
    return stepping_;
  }

  // A status: the upload is at its end.
  std::optional<absl::Status> Take() {
    if (std::exchange(has_arrived_, false)) {
      absl::StatusOr<WriteMessage> parsed = ParseWriteMessage(std::exchange(arrived_, {}));
      if (!parsed.ok()) return parsed.status();
      environment_.metrics.Uploaded(parsed->data.size());
      message_ = *std::move(parsed);
    }
    const absl::StatusOr<UploadSession::Step> step = session_.Take(scope_.call(), *message_);
    if (!step.ok()) return step.status();
    if (!step->again) message_.reset();
    if (!step->committed) return std::nullopt;
    Respond(*step->committed);
    return absl::OkStatus();
  }

  void Respond(int64_t committed) {
    WriteResponse response;
    response.set_committed_size(committed);
    SerializeWire(response, *response_);
  }

  void Answer(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!response_->Valid()) Respond(0);
    finished_ = true;  // under the lock with Finish: no read is started after it
    Finish(scope_.Close(status));
  }

  RpcEnvironment& environment_;
  IdleStreams& idle_;
  CallScope scope_;
  std::shared_ptr<WriteStream> self_;

  // Of the step that runs.
  UploadSession session_;
  ByteBuffer* response_;
  ByteBuffer arrived_;
  bool has_arrived_ = false;
  std::optional<WriteMessage> message_;  // being taken

  absl::Mutex mutex_;
  ByteBuffer reading_;  // gRPC's, while is_reading_
  bool is_reading_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<ByteBuffer> received_ ABSL_GUARDED_BY(mutex_);
  MonotonicTime heard_ ABSL_GUARDED_BY(mutex_);
  bool admitted_ ABSL_GUARDED_BY(mutex_) = false;
  bool stepping_ ABSL_GUARDED_BY(mutex_) = false;  // a step waits or runs
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;     // nothing more comes
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool idled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerReadReactor<ByteBuffer>* StartWriteStream(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                                      const UploadParts& parts, IdleStreams& idle,
                                                      ByteBuffer* response) {
  const auto stream = std::make_shared<WriteStream>(environment, context, parts, idle, response);
  stream->Start();
  return stream.get();
}

}  // namespace bitwright::server
