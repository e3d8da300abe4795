#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/base/cancel_token.h"
#include "proto/base/files.h"
#include "proto/base/owned_fd.h"
#include "proto/contract/digest.h"

namespace bitwright {

// A blob in the making: its bytes gather in "{path}.part", are hashed as they come, and appear as `path` in one step.
// What is there of an earlier, interrupted attempt is kept, so that the attempt can continue. Not thread-safe. Errors
// of the disk are those of `unwritable`.
class PartFile {
 public:
  // Hashes what is there; a part that is longer than the blob begins again. CANCELLED, reason INTERRUPTED.
  static absl::StatusOr<PartFile> Open(const std::string& path, const BlobDigest& digest, FileErrorFunction* unwritable,
                                       const CancelToken& cancel);

  const std::string& part_path() const { return part_path_; }
  int64_t size_bytes() const { return size_bytes_; }  // held so far
  // What goes beyond the blob's size is dropped.
  absl::Status Append(std::string_view data);
  // Whether the bytes are the blob's. Call once after the last Append.
  bool HasDigest();
  // Begins again with no bytes.
  absl::Status StartOver();
  // Renames; `durable`: flushes to the disk before. Call once, last.
  absl::Status Publish(bool durable);
  // Leaves nothing behind. Call once, last.
  void Remove();

 private:
  PartFile(OwnedFd fd, const std::string& path, const BlobDigest& digest, FileErrorFunction* unwritable)
      : fd_(std::move(fd)), path_(path), digest_(digest), unwritable_(unwritable) {}
  absl::Status TakeUp(const CancelToken& cancel);

  OwnedFd fd_;
  std::string path_;
  std::string part_path_ = path_ + ".part";
  BlobDigest digest_;
  FileErrorFunction* unwritable_;
  Sha256 hash_;
  int64_t size_bytes_ = 0;
};

}  // namespace bitwright
