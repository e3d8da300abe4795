#include "proto/transfer/missing_blobs.h"

#include <grpcpp/channel.h>

#include <algorithm>
#include <map>

#include "bitwright/v1/blobs.grpc.pb.h"
#include "proto/contract/limits.h"
#include "proto/transfer/grpc_calls.h"
#include "proto/transfer/transfer_errors.h"

namespace bitwright {
namespace {

using FirstFiles = std::map<std::string, const FileToUpload*>;  // by digest

absl::Status AddMissing(const TransferContext& context, v1::BlobService::Stub& stub,
                        std::span<const FileToUpload> batch, FirstFiles& first_of, std::vector<FileToUpload>& missing) {
  v1::FindMissingBlobsRequest request;
  for (const FileToUpload& file : batch) {
    if (first_of.emplace(file.digest.ToString(), &file).second) *request.add_digests() = ToProto(file.digest);
  }
  ABSL_ASSIGN_OR_RETURN(const auto response,
                        RetryUnary<v1::FindMissingBlobsResponse>(
                            context.Retry(), context.cancel, [&](grpc::ClientContext* call, auto* response) {
                              return stub.FindMissingBlobs(call, request, response);
                            }));
  for (const v1::Digest& lacking : response.missing()) {
    ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(lacking));
    const auto file = first_of.find(digest.ToString());
    if (file == first_of.end()) return UnofferedBlobError(digest.sha256);
    missing.push_back(*file->second);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<FileToUpload>> FindMissingFiles(const TransferContext& context,
                                                           std::span<const FileToUpload> files) {
  const auto stub = v1::BlobService::NewStub(context.channel);
  FirstFiles first_of;
  std::vector<FileToUpload> missing;
  while (!files.empty()) {
    const size_t size = std::min<size_t>(files.size(), limits::kMaxFindMissingDigests);
    ABSL_RETURN_IF_ERROR(AddMissing(context, *stub, files.first(size), first_of, missing));
    files = files.subspan(size);
  }
  return missing;
}

}  // namespace bitwright
