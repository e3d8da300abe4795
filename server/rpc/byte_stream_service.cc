#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/read_stream.h"
#include "server/rpc/services.h"
#include "server/rpc/write_stream.h"

namespace bitwright::server {
namespace {

using google::bytestream::ByteStream;
using google::bytestream::QueryWriteStatusRequest;
using google::bytestream::QueryWriteStatusResponse;
using grpc::ByteBuffer;
using grpc::CallbackServerContext;

using RawByteStream = ByteStream::WithRawCallbackMethod_Read<
    ByteStream::WithRawCallbackMethod_Write<ByteStream::WithRawCallbackMethod_QueryWriteStatus<ByteStream::Service>>>;

class ByteStreamService final : public RawByteStream {
 public:
  ByteStreamService(RpcEnvironment& environment, BlobStore& blobs, HeldBlobs& held, const Clock& clock)
      : environment_(environment), blobs_(blobs), held_(held), clock_(clock) {}

  grpc::ServerWriteReactor<ByteBuffer>* Read(CallbackServerContext*, const ByteBuffer* request) override {
    return StartReadStream(environment_, blobs_, *request);
  }

  grpc::ServerReadReactor<ByteBuffer>* Write(CallbackServerContext*, ByteBuffer* response) override {
    return StartWriteStream(environment_, blobs_, held_, clock_, response);
  }

  grpc::ServerUnaryReactor* QueryWriteStatus(CallbackServerContext* context, const ByteBuffer* request,
                                             ByteBuffer* response) override {
    return RunUnary<QueryWriteStatusRequest, QueryWriteStatusResponse>(
        environment_, context, "QueryWriteStatus", request, response,
        [this](const auto& in, auto& out) { return QueryStatus(in, out); });
  }

 private:
  absl::Status QueryStatus(const QueryWriteStatusRequest& request, QueryWriteStatusResponse& response) {
    ABSL_ASSIGN_OR_RETURN(const UploadName name, ParseUploadName(request.resource_name()));
    ABSL_ASSIGN_OR_RETURN(const bool held, held_.Has(name.digest));
    if (held) {
      response.set_committed_size(name.digest.size_bytes);
      response.set_complete(true);
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const int64_t bytes, blobs_.UploadedBytes(name));
    response.set_committed_size(bytes);
    return absl::OkStatus();
  }

  RpcEnvironment& environment_;
  BlobStore& blobs_;
  HeldBlobs& held_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeByteStreamService(RpcEnvironment& environment, BlobStore& blobs, HeldBlobs& held,
                                                     const Clock& clock) {
  return std::make_unique<ByteStreamService>(environment, blobs, held, clock);
}

}  // namespace bitwright::server
