#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"
#include "server/rpc/blob_user.h"
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
  ByteStreamService(RpcEnvironment& environment, const UploadParts& parts, IdleStreams& idle)
      : environment_(environment), parts_(parts), idle_(idle) {}

  grpc::ServerWriteReactor<ByteBuffer>* Read(CallbackServerContext* context, const ByteBuffer* request) override {
    return StartReadStream(environment_, context, parts_.held, *request);
  }

  grpc::ServerReadReactor<ByteBuffer>* Write(CallbackServerContext* context, ByteBuffer* response) override {
    return StartWriteStream(environment_, context, parts_, idle_, response);
  }

  grpc::ServerUnaryReactor* QueryWriteStatus(CallbackServerContext* context, const ByteBuffer* request,
                                             ByteBuffer* response) override {
    return RunUnary<QueryWriteStatusRequest, QueryWriteStatusResponse>(
        environment_, context, kQueryWriteStatus, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return QueryStatus(call, in, out); });
  }

 private:
  absl::Status QueryStatus(const CallContext& call, const QueryWriteStatusRequest& request,
                           QueryWriteStatusResponse& response) {
    ABSL_ASSIGN_OR_RETURN(const UploadName name, ParseUploadName(request.resource_name()));
    const BlobUser user = BlobUserOf(call);
    ABSL_ASSIGN_OR_RETURN(const bool held, parts_.held.Has(user, name.digest));
    if (held) {
      response.set_committed_size(name.digest.size_bytes);
      response.set_complete(true);
      return absl::OkStatus();
    }
    ABSL_ASSIGN_OR_RETURN(const int64_t bytes, parts_.blobs.UploadedBytes(name, user.tenant));
    response.set_committed_size(bytes);
    return absl::OkStatus();
  }

  RpcEnvironment& environment_;
  const UploadParts parts_;
  IdleStreams& idle_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeByteStreamService(RpcEnvironment& environment, const UploadParts& parts,
                                                     IdleStreams& idle) {
  return std::make_unique<ByteStreamService>(environment, parts, idle);
}

}  // namespace bitwright::server
