#include <sys/stat.h>

#include <filesystem>

#include "client/api/client.h"
#include "client/api/client_errors.h"
#include "client/api/hashing.h"
#include "client/api/part_file.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/names.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// Whether the file is there already, byte for byte.
bool Holds(const std::string& path, const BlobDigest& digest, const CancelToken& cancel) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size != digest.size_bytes) return false;
  Sha256 hash;
  return HashPrefix(path, digest.size_bytes, cancel, hash).ok() && hash.Finish() == digest.sha256;
}

// Fills the part up to the whole blob. DATA_LOSS when the digest is another; the part is then empty.
absl::Status Complete(Connection& connection, const BlobDigest& digest, const CancelToken& cancel, PartFile& part,
                      const std::function<void(int64_t)>& on_bytes) {
  if (part.size_bytes() > digest.size_bytes) ABSL_RETURN_IF_ERROR(part.Truncate());
  Sha256 hash;
  ABSL_RETURN_IF_ERROR(HashPrefix(part.part_path(), part.size_bytes(), cancel, hash));
  const int64_t kept = part.size_bytes();
  on_bytes(kept);
  ABSL_RETURN_IF_ERROR(connection.Download(digest, kept, [&](std::string_view bytes) {
    hash.Update(bytes);
    on_bytes(static_cast<int64_t>(bytes.size()));
    return part.Append(bytes);
  }));
  if (hash.Finish() == digest.sha256) return absl::OkStatus();
  on_bytes(-part.size_bytes());
  ABSL_RETURN_IF_ERROR(part.Truncate());
  return DownloadCorrupt(part.part_path(), digest.ToString());
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
  if (error) return FileUnwritable(fs::path(path).parent_path().string(), error.value());
  ABSL_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(path));
  const bool continued = part.size_bytes() > 0;
  absl::Status status = Complete(*connection_, digest, *cancel_, part, on_bytes);
  // The part may have been of another artifact; from the start, the digest must be right.
  if (absl::IsDataLoss(status) && continued) status = Complete(*connection_, digest, *cancel_, part, on_bytes);
  ABSL_RETURN_IF_ERROR(status);
  return part.Publish();
}

absl::Status Client::DownloadArtifact(const v1::Manifest& manifest, const std::string& dir,
                                      const OnTransfer& on_transfer) {
  TransferProgress progress{TransferProgress::Phase::kDownload, manifest.files_size(), 0, 0};
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
