#include "bitwright/v1/blobs.grpc.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/digest.h"
#include "proto/contract/limits.h"
#include "server/rpc/blob_user.h"
#include "server/rpc/call_scope.h"
#include "server/rpc/rpc_errors.h"
#include "server/rpc/services.h"

namespace bitwright::server {
namespace {

using RawBlobService = v1::BlobService::WithRawCallbackMethod_FindMissingBlobs<v1::BlobService::Service>;

class BlobService final : public RawBlobService {
 public:
  BlobService(RpcEnvironment& environment, HeldBlobs& held, const Clock& clock)
      : environment_(environment), held_(held), clock_(clock) {}

  grpc::ServerUnaryReactor* FindMissingBlobs(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* response) override {
    return RunUnary<v1::FindMissingBlobsRequest, v1::FindMissingBlobsResponse>(
        environment_, context, kFindMissingBlobs, request, response,
        [this](const CallContext& call, const auto& in, auto& out) { return FindMissing(call, in, out); });
  }

 private:
  absl::Status FindMissing(const CallContext& call, const v1::FindMissingBlobsRequest& request,
                           v1::FindMissingBlobsResponse& response) {
    if (request.digests_size() > limits::kMaxFindMissingDigests) return TooManyDigestsError(request.digests_size());
    std::vector<BlobDigest> digests;
    for (const v1::Digest& proto : request.digests()) {
      ABSL_ASSIGN_OR_RETURN(BlobDigest digest, FromProto(proto));
      digests.push_back(std::move(digest));
    }
    ABSL_ASSIGN_OR_RETURN(const auto missing, held_.FindMissing(BlobUserOf(call), digests, clock_.Now()));
    for (const BlobDigest& digest : missing) *response.add_missing() = ToProto(digest);
    return absl::OkStatus();
  }

  RpcEnvironment& environment_;
  HeldBlobs& held_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeBlobService(RpcEnvironment& environment, HeldBlobs& held, const Clock& clock) {
  return std::make_unique<BlobService>(environment, held, clock);
}

}  // namespace bitwright::server
