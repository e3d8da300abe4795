#include "workers/agent/blob_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
namespace {

constexpr size_t kDigits = 64;

}  // namespace

absl::StatusOr<std::unique_ptr<BlobCache>> BlobCache::Open(const std::string& dir, int64_t max_bytes,
                                                           BlobClient& client) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(dir).string();
  std::filesystem::create_directories(absolute, error);
  if (error) return FileFailedError(absolute, "created", error.value());
  std::unique_ptr<BlobCache> cache(new BlobCache(absolute, max_bytes, client));
  cache->Scan();
  cache->MakeRoom(0);
  return cache;
}

// The time of a file's last change is that of its last use (Path sets it).
void BlobCache::Scan() {
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

void BlobCache::Add(const Entry& entry) {
  index_[entry.sha256] = by_use_.insert(by_use_.end(), entry);
  bytes_ += entry.size_bytes;
}

void BlobCache::Remove(const std::string& sha256) {
  const auto found = index_.find(sha256);
  ::unlink((dir_ + "/" + sha256).c_str());
  bytes_ -= found->second->size_bytes;
  by_use_.erase(found->second);
  index_.erase(found);
}

void BlobCache::MakeRoom(int64_t wanted) {
  for (auto entry = by_use_.begin(); entry != by_use_.end() && bytes_ + wanted > max_bytes_;) {
    const std::string sha256 = (entry++)->sha256;
    if (!in_use_.contains(sha256)) Remove(sha256);
  }
}

absl::StatusOr<std::string> BlobCache::Path(const BlobDigest& digest, const CancelToken& cancel) {
  const std::string path = dir_ + "/" + digest.sha256;
  const auto found = index_.find(digest.sha256);
  struct stat info {};
  const bool whole = found != index_.end() && ::stat(path.c_str(), &info) == 0 && info.st_size == digest.size_bytes;
  if (found != index_.end() && !whole) Remove(digest.sha256);
  in_use_.insert(digest.sha256);
  if (whole) {
    by_use_.splice(by_use_.end(), by_use_, found->second);
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return path;
  }
  MakeRoom(digest.size_bytes);
  ABSL_RETURN_IF_ERROR(client_.Download(digest, path, cancel));
  Add({digest.sha256, digest.size_bytes});
  return path;
}

void BlobCache::ReleaseAll() {
  in_use_.clear();
  MakeRoom(0);
}

}  // namespace bitwright::worker
