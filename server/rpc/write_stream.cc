#include "server/rpc/write_stream.h"

#include <atomic>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/upload_session.h"

namespace bitwright::server {
namespace {

using google::bytestream::WriteRequest;
using google::bytestream::WriteResponse;

class WriteStream final : public grpc::ServerReadReactor<WriteRequest> {
 public:
  WriteStream(RpcEnvironment& environment, BlobStore& blobs, HeldBlobs& held, const Clock& clock,
              WriteResponse* response)
      : scope_(environment, "Write"),
        metrics_(environment.metrics),
        session_(blobs, held, clock),
        response_(response),
        strand_(environment.pool) {
    for (int i = 0; i < kMaxWaitingMessages; ++i) free_.push_back(std::make_shared<WriteRequest>());
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
    std::shared_ptr<WriteRequest> message;
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
  void Take(const WriteRequest& message) {
    if (finished_) return;
    metrics_.Uploaded(static_cast<int64_t>(message.data().size()));
    const auto committed = session_.Take(message);
    if (!committed.ok()) {
      FinishOnce(committed.status());
    } else if (*committed) {
      response_->set_committed_size(**committed);
      FinishOnce(absl::OkStatus());
    }
  }

  void End() {
    if (finished_) return;
    response_->set_committed_size(session_.Suspend());
    FinishOnce(cancelled_ ? CallCancelledError() : absl::OkStatus());
  }

  void FinishOnce(const absl::Status& status) {
    finished_ = true;
    session_.Suspend();
    const grpc::Status answer = scope_.Close(status);
    absl::MutexLock lock(&mutex_);
    ended_ = true;  // under the lock with Finish: no read is started after it
    Finish(answer);
  }

  void GiveBack(const std::shared_ptr<WriteRequest>& message) {
    {
      absl::MutexLock lock(&mutex_);
      free_.push_back(message);
    }
    ReadNext();
  }

  const CallScope scope_;
  Metrics& metrics_;
  UploadSession session_;
  WriteResponse* response_;
  bool finished_ = false;  // only on the strand
  std::atomic<bool> cancelled_{false};
  std::atomic<int> holders_{1};
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // no further read may be started
  std::shared_ptr<WriteRequest> reading_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<WriteRequest>> free_ ABSL_GUARDED_BY(mutex_);  // kept for their buffers
  Strand strand_;
};

}  // namespace

grpc::ServerReadReactor<WriteRequest>* StartWriteStream(RpcEnvironment& environment, BlobStore& blobs, HeldBlobs& held,
                                                        const Clock& clock, WriteResponse* response) {
  auto* stream = new WriteStream(environment, blobs, held, clock, response);
  stream->ReadNext();
  return stream;
}

}  // namespace bitwright::server
