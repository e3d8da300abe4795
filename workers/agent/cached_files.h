#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/contract/digest.h"

namespace bitwright::worker {

// What is known of a blob's file.
enum class FileState {
  kAbsent,     // not there, or of another size
  kUnchecked,  // left by an earlier run: perhaps cut off or damaged by a crash
  kWhole,
};

// Files of an earlier run that were hashed, and those among them that were damaged.
struct CacheChecks {
  int64_t hashed = 0;
  int64_t damaged = 0;
};

// The bookkeeping of BlobCache: which blobs lie in its folder, who uses them, when each was used last, and which are
// known to be whole. Reads no blob. Thread-safe.
class CachedFiles {
 public:
  // Takes up what is in the folder.
  CachedFiles(std::string dir, int64_t max_bytes);

  const std::string& dir() const { return dir_; }
  std::string PathOf(const std::string& sha256) const { return dir_ + "/" + sha256; }

  // Keeps the blob from now on for one user, and makes room for it.
  FileState Keep(const BlobDigest& digest);
  // Of a blob that the user keeps already.
  FileState Find(const BlobDigest& digest);
  // Of a blob that nobody may keep: counts as no use, and makes no room.
  FileState Peek(const BlobDigest& digest) const;
  void Release(const std::set<std::string>& kept);

  // What a user adds to the names of files while he fetches them. The same at every start, so that what is there of a
  // broken download is used.
  std::string NewSuffix();
  // The blob is there by now, perhaps by another user.
  void Added(const BlobDigest& digest);
  // An unchecked file was hashed. A damaged one goes, unless another user has put a new one there meanwhile.
  void Checked(const BlobDigest& digest, bool whole);

  int64_t bytes() const;
  CacheChecks checks() const;

 private:
  struct Entry {
    std::string sha256;
    int64_t size_bytes = 0;
    bool checked = false;  // this process has seen that it holds the blob
  };

  // A file that is there was used last; else there is room for it.
  FileState Use(const BlobDigest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  FileState StateOf(const BlobDigest& digest) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Scan() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Add(const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(const std::string& sha256) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(int64_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string dir_;
  const int64_t max_bytes_;
  mutable absl::Mutex mutex_;
  int new_users_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  CacheChecks checks_ ABSL_GUARDED_BY(mutex_);
  std::list<Entry> by_use_ ABSL_GUARDED_BY(mutex_);  // least recently used first
  std::map<std::string, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> users_ ABSL_GUARDED_BY(mutex_);  // of blobs that are kept
};

}  // namespace bitwright::worker
