#include "server/rpc/write_stream.h"

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "google/bytestream/bytestream.pb.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/upload_session.h"

namespace bitwright::server {
namespace {

using google::bytestream::WriteRequest;
using google::bytestream::WriteResponse;
using grpc::ByteBuffer;

class WriteStream final : public grpc::ServerReadReactor<ByteBuffer> {
 public:
  WriteStream(RpcEnvironment& environment, BlobStore& blobs, HeldBlobs& held, const Clock& clock, ByteBuffer* response)
      : scope_(environment, "Write"),
        metrics_(environment.metrics),
        session_(blobs, held, clock),
        response_(response),
        strand_(environment.pool) {
    for (int i = 0; i < kMaxWaitingMessages; ++i) free_.push_back(std::make_shared<ByteBuffer>());
  }

  // The reading side runs on gRPC's threads and only hands messages over.
  void ReadNext() ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    if (reading_ != nullptr || ended_ || free_.empty()) return;
    reading_ = std::move(free_.back());
    free_.pop_back();
    StartRead(reading_.get());
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        absl::MutexLock lock(&mutex_);
        ended_ = true;
      }
      Post([this] { End(); });
      return;
    }
    std::shared_ptr<ByteBuffer> message;
    {
      absl::MutexLock lock(&mutex_);
      message = std::move(reading_);
    }
    Post([this, message] {
      Take(*message);
      GiveBack(message);
    });
    ReadNext();
  }

  void OnCancel() override { cancelled_ = true; }
  void OnDone() override { Release(); }

 private:
  // gRPC and every posted step hold the object; the last one deletes it.
  void Post(std::function<void()> step) {
    holders_.fetch_add(1);
    strand_.Post([this, step = std::move(step)] {
      step();
      Release();
    });
  }

  void Release() {
    if (holders_.fetch_sub(1) == 1) delete this;
  }

  // The strand's side.
  void Take(const ByteBuffer& bytes) {
    if (finished_) return;
    if (const absl::Status parsed = ParseWire(bytes, message_); !parsed.ok()) return FinishOnce(parsed);
    metrics_.Uploaded(static_cast<int64_t>(message_.data().size()));
    const auto committed = session_.Take(message_);
    if (!committed.ok()) {
      FinishOnce(committed.status());
    } else if (*committed) {
      Respond(**committed);
      FinishOnce(absl::OkStatus());
    }
  }

  void End() {
    if (finished_) return;
    Respond(session_.Suspend());
    FinishOnce(cancelled_ ? CallCancelledError() : absl::OkStatus());
  }

  void Respond(int64_t committed) {
    WriteResponse response;
    response.set_committed_size(committed);
    SerializeWire(response, *response_);
  }

  void FinishOnce(const absl::Status& status) {
    finished_ = true;
    session_.Suspend();
    if (!response_->Valid()) Respond(0);
    const grpc::Status answer = scope_.Close(status);
    absl::MutexLock lock(&mutex_);
    ended_ = true;  // under the lock with Finish: no read is started after it
    Finish(answer);
  }

  void GiveBack(const std::shared_ptr<ByteBuffer>& message) {
    message->Clear();
    {
      absl::MutexLock lock(&mutex_);
      free_.push_back(message);
    }
    ReadNext();
  }

  const CallScope scope_;
  Metrics& metrics_;
  UploadSession session_;
  ByteBuffer* response_;
  WriteRequest message_;   // only on the strand; kept for its buffers
  bool finished_ = false;  // only on the strand
  std::atomic<bool> cancelled_{false};
  std::atomic<int> holders_{1};
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // no further read may be started
  std::shared_ptr<ByteBuffer> reading_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<ByteBuffer>> free_ ABSL_GUARDED_BY(mutex_);
  Strand strand_;
};

}  // namespace

grpc::ServerReadReactor<ByteBuffer>* StartWriteStream(RpcEnvironment& environment, BlobStore& blobs, HeldBlobs& held,
                                                      const Clock& clock, ByteBuffer* response) {
  auto* stream = new WriteStream(environment, blobs, held, clock, response);
  stream->ReadNext();
  return stream;
}

}  // namespace bitwright::server
