#pragma once

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "proto/base/cancel_token.h"
#include "proto/base/clock.h"
#include "proto/contract/digest.h"
#include "proto/transfer/missing_blobs.h"
#include "proto/transfer/transfer_context.h"

namespace bitwright::worker {

// Moves blobs to and from the server, with a worker's patience and a worker's errors. A broken transfer goes on where
// it stopped; one that makes no progress in several attempts fails with UNAVAILABLE, TRANSFER_STALLED. A cancelled
// token ends it with CANCELLED, reason INTERRUPTED. Thread-safe.
class BlobClient {
 public:
  explicit BlobClient(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

  // Sends those files that the server lacks. UNAVAILABLE, reason OUTPUT_UNUSABLE: a file is a link, not plain, or not
  // of its digest's size; else the server's error.
  absl::Status Upload(std::span<const FileToUpload> files, const CancelToken& cancel);

  // As DownloadPart, on the disk before it appears at `path`; the folder is left to the caller. UNAVAILABLE, reason
  // BLOB_DIGEST_MISMATCH: other bytes came, none are kept.
  absl::Status Download(const BlobPart& part, const std::string& path, const CancelToken& cancel);

 private:
  TransferContext Context(const CancelToken& cancel) const { return {channel_, clock_, cancel, kWorkerTransfers}; }

  const std::shared_ptr<grpc::Channel> channel_;
  const SystemClock clock_;
};

}  // namespace bitwright::worker
