#include "workers/agent/blob_cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "proto/base/failpoint.h"
#include "proto/base/files.h"
#include "proto/base/status_macros.h"
#include "proto/transfer/local_file.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {
BlobCache::BlobCache(std::shared_ptr<CachedFiles> files, BlobClient& client)
    : files_(std::move(files)), client_(client), suffix_(files_->NewSuffix()) {}

absl::StatusOr<std::unique_ptr<BlobCache>> BlobCache::Open(const std::string& dir, int64_t max_bytes,
                                                           BlobClient& client) {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(dir).string();
  std::filesystem::create_directories(absolute, error);
  if (error) return FileFailedError(absolute, "created", error.value());
  return std::unique_ptr<BlobCache>(new BlobCache(std::make_shared<CachedFiles>(absolute, max_bytes), client));
}

std::unique_ptr<BlobCache> BlobCache::Beside() const {
  return std::unique_ptr<BlobCache>(new BlobCache(files_, client_));
}

absl::StatusOr<std::string> BlobCache::Path(const BlobDigest& digest, const CancelToken& cancel) {
  return PathOf({digest, 0, digest}, cancel);
}

absl::StatusOr<InputSource::PartFile> BlobCache::PathOfPart(const BlobPart& part, const CancelToken& cancel) {
  // The whole blob is here when a task has read all of it.
  ABSL_ASSIGN_OR_RETURN(const bool whole, Holds(part.blob, files_->Peek(part.blob), cancel));
  ABSL_ASSIGN_OR_RETURN(std::string path, whole ? Path(part.blob, cancel) : PathOf(part, cancel));
  return PartFile{std::move(path), whole};
}

absl::StatusOr<std::string> BlobCache::PathOf(const BlobPart& part, const CancelToken& cancel) {
  std::string path = files_->PathOf(part.bytes.sha256);
  const bool mine = !in_use_.insert(part.bytes.sha256).second;
  const FileState state = mine ? files_->Find(part.bytes) : files_->Keep(part.bytes);
  ABSL_ASSIGN_OR_RETURN(const bool held, Holds(part.bytes, state, cancel));
  if (!held) ABSL_RETURN_IF_ERROR(Fetch(part, path, cancel));
  return path;
}

absl::StatusOr<bool> BlobCache::Holds(const BlobDigest& digest, FileState state, const CancelToken& cancel) {
  if (state != FileState::kUnchecked) return state == FileState::kWhole;
  ABSL_ASSIGN_OR_RETURN(const bool whole, HasBytes(digest, cancel));
  files_->Checked(digest, whole);
  return whole;
}

// Whether the file has the blob's bytes; one that cannot be read has not. Two users may hash the same file at the same
// time, which does no harm.
absl::StatusOr<bool> BlobCache::HasBytes(const BlobDigest& digest, const CancelToken& cancel) const {
  const auto file = LocalFile::Open(files_->PathOf(digest.sha256), kFileErrors, LocalFile::Links::kRefuse);
  if (!file.ok()) return false;
  Sha256 hash;
  const absl::Status read = file->HashTo(hash, cancel);
  ABSL_RETURN_IF_ERROR(cancel.Check());
  return read.ok() && hash.Finish() == digest.sha256;
}

// Two users may fetch the same blob at the same time, each to a file of its own; the second replaces the first, which
// is the same.
absl::Status BlobCache::Fetch(const BlobPart& part, const std::string& path, const CancelToken& cancel) {
  const std::string fetched = path + suffix_;
  if (const int error = Failpoint("agent.fetch"); error != 0) return FileFailedError(path, "written", error);
  ABSL_RETURN_IF_ERROR(client_.Download(part, fetched, cancel));
  if (::rename(fetched.c_str(), path.c_str()) != 0) return FileFailedError(path, "renamed", errno);
  // Where the cache's file system cannot, the check of the next start finds out what is damaged.
  if (const int error = SyncFolder(files_->dir()); error != 0 && error != EINVAL) {
    return FileFailedError(files_->dir(), "flushed", error);
  }
  files_->Added(part.bytes);
  return absl::OkStatus();
}

void BlobCache::ReleaseAll() {
  files_->Release(in_use_);
  in_use_.clear();
}

int64_t BlobCache::bytes() const { return files_->bytes(); }

CacheChecks BlobCache::checks() const { return files_->checks(); }

}  // namespace bitwright::worker
