#include "workers/agent/blob_client.h"

#include <grpcpp/grpcpp.h>

#include <map>

#include "bitwright/v1/blobs.grpc.pb.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/limits.h"
#include "workers/agent/agent_errors.h"
#include "workers/agent/backoff.h"
#include "workers/agent/blob_download.h"
#include "workers/agent/blob_upload.h"

namespace bitwright::worker {
namespace {

constexpr int kAttemptsWithoutProgress = 8;

// Repeats transfer.Attempt until it is done, fails for good or stalls.
template <typename Transfer>
absl::Status Persist(Transfer& transfer, const BlobDigest& digest, StopSignal& stop) {
  Backoff backoff;
  int stalled = 0;
  while (true) {
    const int64_t before = transfer.position();
    const absl::Status status = transfer.Attempt(stop);
    if (stop.stopped()) return Stopping();
    if (status.ok() || !IsTransient(status) || transfer.hopeless()) return status;
    if (transfer.position() > before) {
      stalled = 0;
      backoff.Reset();
    } else if (++stalled >= kAttemptsWithoutProgress) {
      return TransferStalled(digest.ToString(), status);
    }
    if (stop.WaitFor(backoff.Next())) return Stopping();
  }
}

}  // namespace

struct BlobClient::Stubs {
  std::unique_ptr<v1::BlobService::Stub> blobs;
  std::unique_ptr<google::bytestream::ByteStream::Stub> bytes;
};

BlobClient::BlobClient(std::shared_ptr<grpc::Channel> channel)
    : stubs_(new Stubs{v1::BlobService::NewStub(channel), google::bytestream::ByteStream::NewStub(channel)}) {}

BlobClient::~BlobClient() = default;

absl::StatusOr<std::vector<size_t>> BlobClient::FindMissing(const std::vector<FileToUpload>& files, StopSignal& stop) {
  v1::FindMissingBlobsRequest request;
  for (const FileToUpload& file : files) *request.add_digests() = ToProto(file.digest);
  Backoff backoff;
  for (int attempt = 1;; ++attempt) {
    v1::FindMissingBlobsResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    const StopSignal::Hook hook(stop, [&] { context.TryCancel(); });
    const absl::Status status = FromGrpc(stubs_->blobs->FindMissingBlobs(&context, request, &response));
    if (status.ok()) {
      std::map<std::string, size_t> missing;
      for (const auto& digest : response.missing()) missing[digest.sha256()];
      std::vector<size_t> indices;
      for (size_t i = 0; i < files.size(); ++i) {
        if (missing.erase(files[i].digest.sha256) > 0) indices.push_back(i);
      }
      return indices;
    }
    if (stop.stopped()) return Stopping();
    if (!IsTransient(status) || attempt >= kAttemptsWithoutProgress) return status;
    if (stop.WaitFor(backoff.Next())) return Stopping();
  }
}

absl::Status BlobClient::Upload(const std::vector<FileToUpload>& files, StopSignal& stop) {
  for (size_t begin = 0; begin < files.size(); begin += limits::kMaxFindMissingDigests) {
    const size_t end = std::min<size_t>(files.size(), begin + limits::kMaxFindMissingDigests);
    const std::vector<FileToUpload> batch(files.begin() + begin, files.begin() + end);
    ABSL_ASSIGN_OR_RETURN(const std::vector<size_t> missing, FindMissing(batch, stop));
    for (const size_t index : missing) {
      ABSL_ASSIGN_OR_RETURN(BlobUpload upload, BlobUpload::Open(*stubs_->bytes, batch[index]));
      ABSL_RETURN_IF_ERROR(Persist(upload, batch[index].digest, stop));
    }
  }
  return absl::OkStatus();
}

absl::Status BlobClient::Download(const BlobDigest& digest, const std::string& path, StopSignal& stop) {
  ABSL_ASSIGN_OR_RETURN(BlobDownload download, BlobDownload::Open(*stubs_->bytes, digest, path));
  return Persist(download, digest, stop);
}

}  // namespace bitwright::worker
