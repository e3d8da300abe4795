#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/owned_fd.h"
#include "proto/contract/digest.h"
#include "workers/agent/stop_signal.h"

namespace bitwright::worker {

// One download into "{path}.part", renamed to `path` when its digest is right. Not thread-safe.
class BlobDownload {
 public:
  using Stub = google::bytestream::ByteStream::Stub;

  // Goes on with an earlier "{path}.part": its bytes are hashed again.
  static absl::StatusOr<BlobDownload> Open(Stub& stub, const BlobDigest& digest, const std::string& path);

  // One call from the next byte that is lacking; publishes the file at the end.
  absl::Status Attempt(StopSignal& stop);
  int64_t position() const { return received_; }
  bool hopeless() const { return failed_; }

 private:
  BlobDownload(Stub& stub, const BlobDigest& digest, const std::string& path, OwnedFd fd);
  absl::Status TakeUp();
  absl::Status Receive(StopSignal& stop);
  absl::Status Append(const std::string& data);
  absl::Status Publish();

  Stub* stub_;
  BlobDigest digest_;
  std::string path_;
  OwnedFd fd_;
  Sha256 hash_;
  int64_t received_ = 0;
  bool failed_ = false;  // this machine's or the bytes' fault: trying again does not help
};

}  // namespace bitwright::worker
