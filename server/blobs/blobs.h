#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/contract/digest.h"
#include "proto/contract/names.h"

namespace bitwright::server {

// The bytes of one blob, open for reading. A blob that is removed meanwhile can still be read to its end. Not
// thread-safe.
class BlobReader {
 public:
  virtual ~BlobReader() = default;
  // Fills `buffer` from `offset`: exactly `size` bytes, which must lie within the blob. UNAVAILABLE, reason
  // BLOB_UNREADABLE.
  virtual absl::Status Read(int64_t offset, char* buffer, size_t size) = 0;
};

// Runs a step on another thread, soon.
using Spawn = std::function<void(std::function<void()>)>;

// Bytes that stay as they are while `owner` is held.
struct Piece {
  std::vector<std::string_view> parts;  // one after the other
  std::shared_ptr<const void> owner;

  int64_t size() const;
};

// One upload in progress, the only one with its name. What was appended stays behind when the object goes, to be
// resumed; an upload without bytes leaves nothing. Not thread-safe.
class BlobUpload {
 public:
  virtual ~BlobUpload() = default;
  // Bytes held so far: where the next Append writes.
  virtual int64_t committed() const = 0;
  // Hashes at most so many of the bytes that an earlier stream left behind. True: all are hashed, and Append may be
  // called. In pieces, since that can take minutes. UNAVAILABLE, reason BLOB_UNREADABLE.
  virtual absl::StatusOr<bool> HashMore(int64_t most_bytes) = 0;
  // Hashes what is appended on threads that this gives, while it is written. They must run its steps until the upload
  // goes.
  virtual void HashOn(Spawn spawn) = 0;
  // INVALID_ARGUMENT, reason BLOB_DIGEST_MISMATCH, when the bytes go past the declared size; RESOURCE_EXHAUSTED, reason
  // DISK_FULL; UNAVAILABLE, reason BLOB_UNWRITABLE. After an error the upload is discarded.
  virtual absl::Status Append(Piece piece) = 0;
  // The same with bytes that are free again when it returns, after HashMore to the end.
  absl::Status AppendCopied(std::string_view data);
  // Checks size and digest and brings the bytes to the disk. INVALID_ARGUMENT, reason BLOB_DIGEST_MISMATCH: the upload
  // is discarded. Otherwise as Append.
  virtual absl::Status Prepare() = 0;
  // After a Prepare that was OK: after OK the blob is held, whole and durable.
  virtual absl::Status Publish() = 0;
  // Forgets the bytes.
  virtual void Discard() = 0;
};

// Immutable bytes by digest, and uploads on their way to that. Knows nothing of who needs a blob (see held_blobs.h).
// Thread-safe.
class BlobStore {
 public:
  virtual ~BlobStore() = default;

  virtual bool Has(const BlobDigest& digest) = 0;
  // NOT_FOUND, reason BLOB_NOT_FOUND.
  virtual absl::StatusOr<std::unique_ptr<BlobReader>> Open(const BlobDigest& digest) = 0;
  // OK when it was not there.
  virtual absl::Status Remove(const BlobDigest& digest) = 0;
  // Every blob that is held. For the start of a server.
  virtual absl::StatusOr<std::vector<BlobDigest>> List() = 0;

  // Begins an upload, or takes up one that was broken off (HashMore is to be called). UNAVAILABLE, reason UPLOAD_BUSY:
  // another stream is writing it; try again. RESOURCE_EXHAUSTED, reason UPLOADS_FULL: there are too many, or of too
  // many bytes; try again. RESOURCE_EXHAUSTED, reason LIMIT_EXCEEDED: the blob alone is larger than all may be.
  // Uploads of one name by two tenants are two: nobody goes on with bytes that another brought. Empty: no tenant's.
  virtual absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(const UploadName& name,
                                                                  std::string_view tenant = {}) = 0;
  // Bytes held of an upload. NOT_FOUND, reason UPLOAD_UNKNOWN.
  virtual absl::StatusOr<int64_t> UploadedBytes(const UploadName& name, std::string_view tenant = {}) = 0;
  // Discards uploads that nobody writes and that were not written since `cutoff`, by the file system's clock.
  virtual absl::Status DiscardStaleUploads(absl::Time cutoff) = 0;
};

}  // namespace bitwright::server
