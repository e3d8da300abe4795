#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "workers/agent/stop_signal.h"

namespace grpc {
class Channel;
}

namespace bitwright::worker {

struct FileToUpload {
  BlobDigest digest;
  std::string path;  // a plain file, not a link
};

// Moves blobs to and from the server. A broken transfer goes on where it stopped; one that makes no progress in several
// attempts fails with UNAVAILABLE, TRANSFER_STALLED. Set `stop` ends it with CANCELLED. Thread-safe.
class BlobClient {
 public:
  explicit BlobClient(std::shared_ptr<grpc::Channel> channel);
  ~BlobClient();

  // Sends those files that the server lacks. UNAVAILABLE, reason OUTPUT_UNUSABLE: a file is a link, not plain, or not
  // of its digest's size; else the server's error.
  absl::Status Upload(const std::vector<FileToUpload>& files, StopSignal& stop);

  // Writes a blob to `path`, which appears whole (rename) and with the right digest. The bytes collect in
  // "{path}.part", which a later call goes on with. UNAVAILABLE, reason BLOB_DIGEST_MISMATCH: other bytes came, none
  // are kept.
  absl::Status Download(const BlobDigest& digest, const std::string& path, StopSignal& stop);

 private:
  struct Stubs;
  absl::StatusOr<std::vector<size_t>> FindMissing(const std::vector<FileToUpload>& files, StopSignal& stop);
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace bitwright::worker
