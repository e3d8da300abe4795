#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "workers/agent/blob_client.h"
#include "workers/agent/stop_signal.h"

namespace bitwright::worker {

// Where a task's inputs are on this machine. Not thread-safe.
class InputSource {
 public:
  virtual ~InputSource() = default;
  // Absolute path of a blob, which stays there until ReleaseAll.
  virtual absl::StatusOr<std::string> Path(const BlobDigest& digest, StopSignal& stop) = 0;
  virtual void ReleaseAll() = 0;
};

// The server's own blob folder: "{dir}/{first two digits}/{sha256}". Nothing is copied or hashed.
// UNAVAILABLE, reason INPUT_MISSING: not there, or of another size.
std::unique_ptr<InputSource> LocalBlobs(const std::string& dir);

// Blobs fetched from the server, "{dir}/{sha256}", the least recently used removed when together they take more than
// `max_bytes`. Inputs of the current task are never removed, so one task may go beyond. Blobs of an earlier run are
// used.
class BlobCache : public InputSource {
 public:
  // `client` must outlive the cache. UNAVAILABLE, reason FILE_UNREADABLE.
  static absl::StatusOr<std::unique_ptr<BlobCache>> Open(const std::string& dir, int64_t max_bytes, BlobClient& client);

  absl::StatusOr<std::string> Path(const BlobDigest& digest, StopSignal& stop) override;
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
