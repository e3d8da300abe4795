#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/input_source.h"

namespace bitwright::worker {

// Blobs fetched from the server, "{dir}/{sha256}", the least recently used removed when together they take more than
// `max_bytes`. Inputs of the current task are never removed, so one task may go beyond. Blobs of an earlier run are
// used. Each object serves one lane and is not thread-safe; those that Beside makes share the folder and may be used at
// the same time.
class BlobCache final : public InputSource {
 public:
  // `client` must outlive the cache. UNAVAILABLE, reason FILE_UNREADABLE.
  static absl::StatusOr<std::unique_ptr<BlobCache>> Open(const std::string& dir, int64_t max_bytes, BlobClient& client);
  // Another user of the same blobs, who keeps those of his own task.
  std::unique_ptr<BlobCache> Beside() const;

  absl::StatusOr<std::string> Path(const BlobDigest& digest, const CancelToken& cancel) override;
  void ReleaseAll() override;

  int64_t bytes() const;

 private:
  class Files;
  BlobCache(std::shared_ptr<Files> files, BlobClient& client);

  const std::shared_ptr<Files> files_;
  BlobClient& client_;
  const std::string suffix_;  // of files that this user fetches
  std::set<std::string> in_use_;
};

}  // namespace bitwright::worker
