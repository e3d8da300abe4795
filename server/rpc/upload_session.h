#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "google/bytestream/bytestream.pb.h"
#include "proto/base/clock.h"
#include "proto/contract/names.h"
#include "server/blobs/blobs.h"
#include "server/blobs/held_blobs.h"

namespace bitwright::server {

// What the messages of one ByteStream.Write do, without the stream. Not thread-safe.
class UploadSession {
 public:
  UploadSession(BlobStore& blobs, HeldBlobs& held, const Clock& clock) : blobs_(blobs), held_(held), clock_(clock) {}

  // Takes the next message. A number: the upload is finished, early or not, with that committed size. Errors as in
  // ByteStream.Write.
  absl::StatusOr<std::optional<int64_t>> Take(const google::bytestream::WriteRequest& message);
  // The stream ended without finish_write: the bytes so far stay, to be resumed.
  int64_t Suspend();

 private:
  absl::StatusOr<std::optional<int64_t>> Begin(const google::bytestream::WriteRequest& message);
  absl::StatusOr<bool> HeldByNow();

  BlobStore& blobs_;
  HeldBlobs& held_;
  const Clock& clock_;
  std::string resource_name_;
  UploadName name_;
  std::unique_ptr<BlobUpload> upload_;
  int64_t publications_seen_ = 0;
};

}  // namespace bitwright::server
