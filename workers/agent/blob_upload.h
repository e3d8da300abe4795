#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/owned_fd.h"
#include "proto/contract/digest.h"
#include "workers/agent/blob_client.h"

namespace bitwright::worker {

// One upload, which goes on after a broken call where the server says that it stands. Not thread-safe.
class BlobUpload {
 public:
  using Stub = google::bytestream::ByteStream::Stub;

  // UNAVAILABLE, reason OUTPUT_UNUSABLE: not a plain file of the digest's size.
  static absl::StatusOr<BlobUpload> Open(Stub& stub, const FileToUpload& file);

  // One call, preceded by QueryWriteStatus when an earlier one broke.
  absl::Status Attempt(StopSignal& stop);
  int64_t position() const { return committed_; }  // bytes that the server is known to hold
  bool hopeless() const { return unreadable_; }

 private:
  BlobUpload(Stub& stub, const FileToUpload& file, OwnedFd fd);
  absl::Status Query(StopSignal& stop);
  absl::Status Send(StopSignal& stop);
  // The file's bytes at `offset`, at most one chunk. False: it cannot be read.
  bool ReadChunk(int64_t offset, std::string& chunk);

  Stub* stub_;
  FileToUpload file_;
  OwnedFd fd_;
  std::string name_;
  int64_t committed_ = 0;
  bool complete_ = false;
  bool broken_ = false;  // an earlier call did not end well
  bool unreadable_ = false;
};

}  // namespace bitwright::worker
