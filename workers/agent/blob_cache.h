#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/cached_files.h"
#include "workers/agent/input_source.h"

namespace bitwright::worker {

// Blobs fetched from the server, and parts of blobs, each as a blob of its own: "{dir}/{sha256}", the least recently
// used removed when together they take more than `max_bytes`. Inputs of the current task are never removed, so one task
// may go beyond. Each object serves one lane and is not thread-safe; those that Beside makes share the folder and may
// be used at the same time.
//
// A blob appears when it is on the disk, and so does its name. What an earlier run left is hashed before its first use:
// a file that holds other bytes is removed, counted, logged and fetched again. After that first look, size alone is
// looked at: nobody but this process writes here.
class BlobCache final : public InputSource {
 public:
  // `client` must outlive the cache. UNAVAILABLE, reason FILE_UNREADABLE.
  static absl::StatusOr<std::unique_ptr<BlobCache>> Open(const std::string& dir, int64_t max_bytes, BlobClient& client);
  // Another user of the same blobs, who keeps those of his own task.
  std::unique_ptr<BlobCache> Beside() const;

  // Errors of BlobClient::Download; CANCELLED, reason INTERRUPTED; UNAVAILABLE, reason FILE_UNREADABLE.
  absl::StatusOr<std::string> Path(const BlobDigest& digest, const CancelToken& cancel) override;
  absl::StatusOr<PartFile> PathOfPart(const BlobPart& part, const CancelToken& cancel) override;
  void ReleaseAll() override;

  int64_t bytes() const;
  CacheChecks checks() const;

 private:
  absl::StatusOr<std::string> PathOf(const BlobPart& part, const CancelToken& cancel);
  // Whether the file of a blob, which is in this state, has its bytes.
  absl::StatusOr<bool> Holds(const BlobDigest& digest, FileState state, const CancelToken& cancel);
  absl::StatusOr<bool> HasBytes(const BlobDigest& digest, const CancelToken& cancel) const;
  absl::Status Fetch(const BlobPart& part, const std::string& path, const CancelToken& cancel);
  BlobCache(std::shared_ptr<CachedFiles> files, BlobClient& client);

  const std::shared_ptr<CachedFiles> files_;
  BlobClient& client_;
  const std::string suffix_;  // of files that this user fetches
  std::set<std::string> in_use_;
};

}  // namespace bitwright::worker
