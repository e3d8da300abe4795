#include "workers/agent/blob_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <list>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

constexpr size_t kDigits = 64;

}  // namespace

// The blobs in the folder, by last use. Thread-safe.
class BlobCache::Files {
 public:
  Files(std::string dir, int64_t max_bytes) : dir_(std::move(dir)), max_bytes_(max_bytes) {
    absl::MutexLock lock(&mutex_);
    Scan();
    MakeRoom(0);
  }

  std::string PathOf(const std::string& sha256) const { return dir_ + "/" + sha256; }

  // Keeps the blob from now on for one user, and makes room for it. True: its file is there.
  bool Keep(const BlobDigest& digest) {
    absl::MutexLock lock(&mutex_);
    ++users_[digest.sha256];
    return Use(digest);
  }

  // What a user adds to the names of files while he fetches them. The same at every start, so that what is there of a
  // broken download is used.
  std::string NewSuffix() {
    absl::MutexLock lock(&mutex_);
    const int user = new_users_++;
    return user == 0 ? "" : "." + std::to_string(user);
  }

  // The blob is there by now, perhaps by another user.
  void Added(const BlobDigest& digest) {
    absl::MutexLock lock(&mutex_);
    if (!index_.contains(digest.sha256)) Add({digest.sha256, digest.size_bytes});
  }

  void Release(const std::set<std::string>& kept) {
    absl::MutexLock lock(&mutex_);
    for (const std::string& sha256 : kept) {
      const auto user = users_.find(sha256);
      if (--user->second == 0) users_.erase(user);
    }
    MakeRoom(0);
  }

  bool Has(const BlobDigest& digest) {
    absl::MutexLock lock(&mutex_);
    return Use(digest);
  }

  int64_t bytes() const {
    absl::MutexLock lock(&mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    std::string sha256;
    int64_t size_bytes = 0;
  };

  // Whether the file is there; then it was used last, else there is room for it.
  bool Use(const BlobDigest& digest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Scan() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Add(const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(const std::string& sha256) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(int64_t wanted) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string dir_;
  const int64_t max_bytes_;
  mutable absl::Mutex mutex_;
  int new_users_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::list<Entry> by_use_ ABSL_GUARDED_BY(mutex_);  // least recently used first
  std::map<std::string, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, int> users_ ABSL_GUARDED_BY(mutex_);  // of blobs that are kept
};

// The time of a file's last change is that of its last use (Use sets it).
void BlobCache::Files::Scan() {
  struct Found {
    int64_t used;
    Entry entry;
  };
  std::vector<Found> found;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(dir_, error)) {
    const std::string name = file.path().filename().string();
    struct stat info {};
    if (name.size() != kDigits || ::stat(file.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    found.push_back({int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, {name, info.st_size}});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.used < b.used; });
  for (const Found& one : found) Add(one.entry);
}

bool BlobCache::Files::Use(const BlobDigest& digest) {
  const auto found = index_.find(digest.sha256);
  struct stat info {};
  const std::string path = PathOf(digest.sha256);
  if (found != index_.end() && ::stat(path.c_str(), &info) == 0 && info.st_size == digest.size_bytes) {
    by_use_.splice(by_use_.end(), by_use_, found->second);
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return true;
  }
  if (found != index_.end()) Remove(digest.sha256);
  MakeRoom(digest.size_bytes);
  return false;
}

void BlobCache::Files::Add(const Entry& entry) {
  index_[entry.sha256] = by_use_.insert(by_use_.end(), entry);
  bytes_ += entry.size_bytes;
}

void BlobCache::Files::Remove(const std::string& sha256) {
  const auto found = index_.find(sha256);
  ::unlink(PathOf(sha256).c_str());
  bytes_ -= found->second->size_bytes;
  by_use_.erase(found->second);
  index_.erase(found);
}

void BlobCache::Files::MakeRoom(int64_t wanted) {
  for (auto entry = by_use_.begin(); entry != by_use_.end() && bytes_ + wanted > max_bytes_;) {
    const std::string sha256 = (entry++)->sha256;
    if (!users_.contains(sha256)) Remove(sha256);
  }
}

BlobCache::BlobCache(std::shared_ptr<Files> files, BlobClient& client)
    : files_(std::move(files)), client_(client), suffix_(files_->NewSuffix()) {}

absl::StatusOr<std::unique_ptr<BlobCache>> BlobCache::Open(const std::string& dir, int64_t max_bytes,
                                                           BlobClient& client) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(dir).string();
  std::filesystem::create_directories(absolute, error);
  if (error) return FileFailedError(absolute, "created", error.value());
  return std::unique_ptr<BlobCache>(new BlobCache(std::make_shared<Files>(absolute, max_bytes), client));
}

std::unique_ptr<BlobCache> BlobCache::Beside() const {
  return std::unique_ptr<BlobCache>(new BlobCache(files_, client_));
}

// Two users may fetch the same blob at the same time, each to a file of its own; the second replaces the first, which
// is the same.
absl::StatusOr<std::string> BlobCache::Path(const BlobDigest& digest, const CancelToken& cancel) {
  std::string path = files_->PathOf(digest.sha256);
  const bool mine = !in_use_.insert(digest.sha256).second;
  if (mine ? files_->Has(digest) : files_->Keep(digest)) return path;
  const std::string fetched = path + suffix_;
  if (const int error = Failpoint("agent.fetch"); error != 0) return FileFailedError(path, "written", error);
  ABSL_RETURN_IF_ERROR(client_.Download(digest, fetched, cancel));
  if (::rename(fetched.c_str(), path.c_str()) != 0) return FileFailedError(path, "renamed", errno);
  files_->Added(digest);
  return path;
}

void BlobCache::ReleaseAll() {
  files_->Release(in_use_);
  in_use_.clear();
}

int64_t BlobCache::bytes() const { return files_->bytes(); }

}  // namespace bitwright::worker
