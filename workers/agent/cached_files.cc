#include "workers/agent/cached_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "proto/base/log.h"

namespace bitwright::worker {
namespace {

constexpr size_t kDigits = 64;

}  // namespace

CachedFiles::CachedFiles(std::string dir, int64_t max_bytes) : dir_(std::move(dir)), max_bytes_(max_bytes) {
  absl::MutexLock lock(&mutex_);
  Scan();
  MakeRoom(0);
}

FileState CachedFiles::Keep(const BlobDigest& digest) {
  absl::MutexLock lock(&mutex_);
  ++users_[digest.sha256];
  return Use(digest);
}

FileState CachedFiles::Find(const BlobDigest& digest) {
  absl::MutexLock lock(&mutex_);
  return Use(digest);
}

FileState CachedFiles::Peek(const BlobDigest& digest) const {
  absl::MutexLock lock(&mutex_);
  return StateOf(digest);
}

void CachedFiles::Release(const std::set<std::string>& kept) {
  absl::MutexLock lock(&mutex_);
  for (const std::string& sha256 : kept) {
    const auto user = users_.find(sha256);
    if (--user->second == 0) users_.erase(user);
  }
  MakeRoom(0);
}

std::string CachedFiles::NewSuffix() {
  absl::MutexLock lock(&mutex_);
  const int user = new_users_++;
  return user == 0 ? "" : "." + std::to_string(user);
}

void CachedFiles::Added(const BlobDigest& digest) {
  absl::MutexLock lock(&mutex_);
  if (const auto found = index_.find(digest.sha256); found != index_.end()) {
    found->second->checked = true;
  } else {
    Add({digest.sha256, digest.size_bytes, true});
  }
}

void CachedFiles::Checked(const BlobDigest& digest, bool whole) {
  absl::MutexLock lock(&mutex_);
  ++checks_.hashed;
  const auto found = index_.find(digest.sha256);
  if (found == index_.end() || found->second->checked) return;
  found->second->checked = whole;
  if (whole) return;
  ++checks_.damaged;
  LOG(WARNING) << "cached blob " << digest.sha256 << " was damaged, it is fetched again";
  Remove(digest.sha256);
  MakeRoom(digest.size_bytes);
}

int64_t CachedFiles::bytes() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

CacheChecks CachedFiles::checks() const {
  absl::MutexLock lock(&mutex_);
  return checks_;
}

// The time of a file's last change is that of its last use (Use sets it).
void CachedFiles::Scan() {
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
    found.push_back({int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, {name, info.st_size, false}});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.used < b.used; });
  for (const Found& one : found) Add(one.entry);
}

FileState CachedFiles::StateOf(const BlobDigest& digest) const {
  const auto found = index_.find(digest.sha256);
  struct stat info {};
  const bool there = found != index_.end() && ::stat(PathOf(digest.sha256).c_str(), &info) == 0;
  if (!there || info.st_size != digest.size_bytes) return FileState::kAbsent;
  return found->second->checked ? FileState::kWhole : FileState::kUnchecked;
}

FileState CachedFiles::Use(const BlobDigest& digest) {
  const auto found = index_.find(digest.sha256);
  if (const FileState state = StateOf(digest); state != FileState::kAbsent) {
    by_use_.splice(by_use_.end(), by_use_, found->second);
    ::utimensat(AT_FDCWD, PathOf(digest.sha256).c_str(), nullptr, 0);
    return state;
  }
  if (found != index_.end()) Remove(digest.sha256);
  MakeRoom(digest.size_bytes);
  return FileState::kAbsent;
}

void CachedFiles::Add(const Entry& entry) {
  index_[entry.sha256] = by_use_.insert(by_use_.end(), entry);
  bytes_ += entry.size_bytes;
}

void CachedFiles::Remove(const std::string& sha256) {
  const auto found = index_.find(sha256);
  ::unlink(PathOf(sha256).c_str());
  bytes_ -= found->second->size_bytes;
  by_use_.erase(found->second);
  index_.erase(found);
}

void CachedFiles::MakeRoom(int64_t wanted) {
  for (auto entry = by_use_.begin(); entry != by_use_.end() && bytes_ + wanted > max_bytes_;) {
    const std::string sha256 = (entry++)->sha256;
    if (!users_.contains(sha256)) Remove(sha256);
  }
}

}  // namespace bitwright::worker
