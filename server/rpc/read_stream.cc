#include "server/rpc/read_stream.h"

#include <algorithm>

#include "google/bytestream/bytestream.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/limits.h"
#include "proto/contract/names.h"
#include "server/rpc/blob_user.h"
#include "server/rpc/rpc_errors.h"

namespace bitwright::server {
namespace {

using google::bytestream::ReadRequest;
using google::bytestream::ReadResponse;
using grpc::ByteBuffer;

// One message is under way at any time: read on the pool, then sent by gRPC, whose callback asks for the next.
class ReadStream final : public grpc::ServerWriteReactor<ByteBuffer> {
 public:
  ReadStream(RpcEnvironment& environment, grpc::CallbackServerContext* context, HeldBlobs& held,
             const ByteBuffer& request)
      : environment_(environment), held_(held), request_bytes_(request), scope_(environment, context, kReadBlob) {}

  void Start() {
    absl::Status begun = scope_.Open();
    if (begun.ok()) begun = environment_.lane.Admit([this] { Begin(); });
    if (!begun.ok()) Finish(scope_.Close(begun));
  }

  void OnWriteDone(bool ok) override {
    environment_.lane.Post([this, ok] { ok ? SendNext() : Finish(scope_.Close(CallCancelledError())); });
  }

  void OnDone() override { delete this; }

 private:
  void Begin() {
    if (absl::Status status = Open(); !status.ok()) {
      Finish(scope_.Close(status));
    } else {
      SendNext();
    }
  }

  absl::Status Open() {
    ABSL_RETURN_IF_ERROR(ParseWire(request_bytes_, request_));
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, ParseReadName(request_.resource_name()));
    if (request_.read_limit() < 0) return ReadLimitNegativeError(request_.read_limit());
    if (request_.read_offset() < 0 || request_.read_offset() > digest.size_bytes) {
      return ReadOffsetOutsideError(request_.read_offset(), digest.size_bytes);
    }
    ABSL_ASSIGN_OR_RETURN(reader_, held_.Open(BlobUserOf(scope_.call()), digest));
    next_ = request_.read_offset();
    const int64_t left = digest.size_bytes - next_;
    end_ = next_ + (request_.read_limit() == 0 ? left : std::min(left, request_.read_limit()));
    return absl::OkStatus();
  }

  void SendNext() {
    if (next_ == end_) {
      Finish(scope_.Close(absl::OkStatus()));
      return;
    }
    const size_t size = std::min<int64_t>(end_ - next_, limits::kStreamChunkBytes);
    std::string& data = *response_.mutable_data();
    data.resize(size);
    if (absl::Status status = reader_->Read(next_, data.data(), size); !status.ok()) {
      Finish(scope_.Close(status));
      return;
    }
    next_ += static_cast<int64_t>(size);
    SerializeWire(response_, response_bytes_);
    StartWrite(&response_bytes_);
  }

  RpcEnvironment& environment_;
  HeldBlobs& held_;
  const ByteBuffer request_bytes_;
  ReadRequest request_;
  CallScope scope_;
  std::unique_ptr<BlobReader> reader_;
  int64_t next_ = 0;
  int64_t end_ = 0;
  ReadResponse response_;
  ByteBuffer response_bytes_;
};

}  // namespace

grpc::ServerWriteReactor<ByteBuffer>* StartReadStream(RpcEnvironment& environment, grpc::CallbackServerContext* context,
                                                      HeldBlobs& held, const ByteBuffer& request) {
  auto* stream = new ReadStream(environment, context, held, request);
  stream->Start();
  return stream;
}

}  // namespace bitwright::server
