#include "workers/agent/local_blobs.h"

#include <sys/stat.h>

#include <filesystem>

#include "proto/base/status_macros.h"
#include "workers/agent/agent_errors.h"

namespace bitwright::worker {

LocalBlobs::LocalBlobs(const std::string& dir) : dir_(std::filesystem::absolute(dir).string()) {}

absl::StatusOr<std::string> LocalBlobs::Path(const BlobDigest& digest, const CancelToken&) {
  std::string path = dir_ + "/" + digest.sha256.substr(0, 2) + "/" + digest.sha256;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || info.st_size != digest.size_bytes) {
    return InputMissingError(digest.sha256, dir_);
  }
  return path;
}

absl::StatusOr<InputSource::PartFile> LocalBlobs::PathOfPart(const BlobPart& part, const CancelToken& cancel) {
  ABSL_ASSIGN_OR_RETURN(std::string path, Path(part.blob, cancel));
  return PartFile{std::move(path), true};
}

}  // namespace bitwright::worker
