#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/input_source.h"

namespace bitwright::worker {

// Blobs fetched from the server, "{dir}/{sha256}", the least recently used removed when together they take more than
// `max_bytes`. Inputs of the current task are never removed, so one task may go beyond. Blobs of an earlier run are
// used.
class BlobCache final : public InputSource {
 public:
  // `client` must outlive the cache. UNAVAILABLE, reason FILE_UNREADABLE.
  static absl::StatusOr<std::unique_ptr<BlobCache>> Open(const std::string& dir, int64_t max_bytes, BlobClient& client);

  absl::StatusOr<std::string> Path(const BlobDigest& digest, const CancelToken& cancel) override;
  void ReleaseAll() override;

  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string sha256;
    int64_t size_bytes = 0;
  };

  BlobCache(std::string dir, int64_t max_bytes, BlobClient& client)
      : dir_(std::move(dir)), max_bytes_(max_bytes), client_(client) {}
  void Scan();
  void Add(const Entry& entry);
  void Remove(const std::string& sha256);
  void MakeRoom(int64_t wanted);

  const std::string dir_;
  const int64_t max_bytes_;
  BlobClient& client_;
  int64_t bytes_ = 0;
  std::list<Entry> by_use_;  // least recently used first
  std::map<std::string, std::list<Entry>::iterator> index_;
  std::set<std::string> in_use_;
};

}  // namespace bitwright::worker
