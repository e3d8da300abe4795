#include <filesystem>

#include "client/api/client.h"
#include "client/api/client_errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// Whether the file is there already, byte for byte.
bool Holds(const std::string& path, const BlobDigest& digest, const CancelToken& cancel) {
  const auto file = LocalFile::Open(path, kFileErrors);
  if (!file.ok() || file->size_bytes() != digest.size_bytes) return false;
  Sha256 hash;
  return file->HashTo(hash, cancel).ok() && hash.Finish() == digest.sha256;
}

}  // namespace

absl::Status Client::DownloadFile(const v1::FileEntry& entry, const std::string& dir,
                                  const std::function<void(int64_t)>& on_bytes) {
  ABSL_ASSIGN_OR_RETURN(const BlobDigest digest, FromProto(entry.digest()));
  const std::string path = (fs::path(dir) / entry.path()).string();
  if (Holds(path, digest, *cancel_)) {
    on_bytes(digest.size_bytes);
    return absl::OkStatus();
  }
  ABSL_RETURN_IF_ERROR(cancel_->Check());
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) return FileUnwritableError(fs::path(path).parent_path().string(), error.value());
  return connection_->Download(digest, path, on_bytes);
}

absl::Status Client::DownloadArtifact(const v1::Manifest& manifest, const std::string& dir,
                                      const OnTransfer& on_transfer) {
  TransferProgress progress{TransferProgress::Phase::kDownload, manifest.files_size(), 0, 0, ""};
  for (const v1::FileEntry& entry : manifest.files()) {
    ABSL_RETURN_IF_ERROR(CheckManifestPath(entry.path()));
    progress.total_bytes += entry.digest().size_bytes();
  }
  if (on_transfer) on_transfer(progress);
  for (const v1::FileEntry& entry : manifest.files()) {
    ABSL_RETURN_IF_ERROR(DownloadFile(entry, dir, [&](int64_t bytes) {
      progress.done_bytes += bytes;
      if (on_transfer) on_transfer(progress);
    }));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::client
