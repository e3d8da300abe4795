#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "proto/base/clock.h"
#include "proto/contract/names.h"
#include "server/auth/call_context.h"
#include "server/blobs/blobs.h"
#include "server/blobs/disk_watch.h"
#include "server/blobs/held_blobs.h"
#include "server/rpc/write_message.h"

namespace bitwright::server {

// What an upload needs of the server; all of it outlives the uploads.
struct UploadParts {
  BlobStore& blobs;
  HeldBlobs& held;
  const DiskWatch& disk;
  const Clock& clock;
  Spawn spawn;  // hashes beside the writing
};

// What the messages of one ByteStream.Write do, without the stream. Not thread-safe.
class UploadSession {
 public:
  explicit UploadSession(const UploadParts& parts) : parts_(parts) {}

  // What Take did with a message. Committed: the upload is finished, early or not, with that size. Neither: on to the
  // next message.
  struct Step {
    bool again = false;  // part of the work is done: Take is to be called again with the same message
    std::optional<int64_t> committed;
  };
  // Takes a message, or does a part of the work before it: the bytes that an earlier stream left are hashed in pieces
  // of kHashPiece. Errors as in ByteStream.Write.
  absl::StatusOr<Step> Take(const CallContext& call, WriteMessage& message);
  // The stream ended without finish_write: the bytes so far stay, to be resumed, and the name is free.
  int64_t Suspend();

 private:
  static constexpr int64_t kHashPiece = 1 << 20;

  absl::StatusOr<std::optional<int64_t>> Begin(const CallContext& call, const WriteMessage& message);
  absl::Status CheckMessage(const WriteMessage& message);
  absl::StatusOr<bool> HeldByNow();

  const UploadParts& parts_;
  BlobUser user_;
  std::string resource_name_;
  UploadName name_;
  std::unique_ptr<BlobUpload> upload_;
  int64_t publications_seen_ = 0;
};

}  // namespace bitwright::server
