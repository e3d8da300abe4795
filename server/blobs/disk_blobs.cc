#include "server/blobs/disk_blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "proto/base/status_macros.h"
#include "server/blobs/blob_errors.h"
#include "server/blobs/disk_upload.h"

namespace bitwright::server {
namespace {

constexpr size_t kTenantDigits = 16;

class DiskReader final : public BlobReader {
 public:
  DiskReader(OpenFile file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  absl::Status Read(int64_t offset, char* buffer, size_t size) override {
    return ReadAt(file_, path_, offset, buffer, size);
  }

 private:
  OpenFile file_;
  std::string path_;
};

class DiskBlobs final : public BlobStore {
 public:
  DiskBlobs(const std::string& root, DiskFault fault, UploadLimits limits)
      : root_(root), blobs_(root + "/blobs"), uploads_(root + "/uploads"), files_(std::move(fault)), table_(limits) {}

  absl::Status OpenFolders() {
    ABSL_RETURN_IF_ERROR(files_.MakeFolder(blobs_));
    ABSL_RETURN_IF_ERROR(files_.MakeFolder(uploads_));
    // A server that was killed may have made folders whose entries never reached the disk.
    ABSL_RETURN_IF_ERROR(files_.SyncFolder(root_));
    ABSL_RETURN_IF_ERROR(files_.SyncFolder(blobs_));
    return FindUploads();
  }

  bool Has(const BlobDigest& digest) override {
    struct stat info;
    return ::stat(Path(digest).c_str(), &info) == 0 && info.st_size == digest.size_bytes;
  }

  absl::StatusOr<std::unique_ptr<BlobReader>> Open(const BlobDigest& digest) override {
    const std::string path = Path(digest);
    OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.is_open()) return errno == ENOENT ? BlobNotFoundError(digest) : BlobUnreadableError(path, errno);
    struct stat info;
    if (::fstat(file.fd(), &info) != 0) return BlobUnreadableError(path, errno);
    if (info.st_size != digest.size_bytes) return BlobNotFoundError(digest);
    return std::unique_ptr<BlobReader>(new DiskReader(std::move(file), path));
  }

  absl::Status Remove(const BlobDigest& digest) override {
    const std::string path = Path(digest);
    if (::unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
    return BlobUnwritableError(path, errno);
  }

  absl::StatusOr<std::vector<BlobDigest>> List() override {
    std::vector<BlobDigest> found;
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator it(blobs_, error), end; !error && it != end;
         it.increment(error)) {
      if (!it->is_regular_file(error) || error) continue;
      const auto digest = ParseDigest(it->path().filename().string(), static_cast<int64_t>(it->file_size(error)));
      if (!error && digest.ok()) found.push_back(*digest);
    }
    if (error) return BlobUnreadableError(blobs_, error.value());
    return found;
  }

  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(const UploadName& name, std::string_view tenant) override {
    const std::string file = FileName(name, tenant);
    ABSL_RETURN_IF_ERROR(table_.Open(file, name));
    const std::string folder = blobs_ + "/" + name.digest.sha256.substr(0, 2);
    return OpenDiskUpload(files_, name.digest, {uploads_ + "/" + file, folder, Path(name.digest)},
                          [this, file](int64_t left) { table_.Close(file, left); });
  }

  absl::StatusOr<int64_t> UploadedBytes(const UploadName& name, std::string_view tenant) override {
    struct stat info;
    if (::stat((uploads_ + "/" + FileName(name, tenant)).c_str(), &info) != 0) return UploadUnknownError(name);
    return static_cast<int64_t>(info.st_size);
  }

  absl::Status DiscardStaleUploads(absl::Time cutoff) override {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(uploads_, error)) {
      struct stat info;
      if (::stat(entry.path().c_str(), &info) != 0) continue;
      const absl::Time written = absl::TimeFromTimespec(info.st_mtim);
      if (written > cutoff) continue;
      table_.Remove(entry.path().filename().string(), [&] { ::unlink(entry.path().c_str()); });
    }
    return error ? BlobUnreadableError(uploads_, error.value()) : absl::OkStatus();
  }

 private:
  absl::Status FindUploads() {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(uploads_, error)) {
      struct stat info;
      if (::stat(entry.path().c_str(), &info) == 0) table_.Found(entry.path().filename().string(), info.st_size);
    }
    return error ? BlobUnreadableError(uploads_, error.value()) : absl::OkStatus();
  }

  std::string Path(const BlobDigest& digest) const { return blobs_ + "/" + BlobPath(digest.sha256); }
  static std::string FileName(const UploadName& name, std::string_view tenant) {
    std::string file = name.uuid + "." + name.digest.sha256 + "." + std::to_string(name.digest.size_bytes);
    return tenant.empty() ? file : file + "." + Sha256Hex(tenant).substr(0, kTenantDigits);
  }

  const std::string root_;
  const std::string blobs_;
  const std::string uploads_;
  const DiskFiles files_;
  UploadTable table_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> OpenDiskBlobs(const std::string& root, DiskFault fault,
                                                         UploadLimits limits) {
  auto blobs = std::make_unique<DiskBlobs>(root, std::move(fault), limits);
  ABSL_RETURN_IF_ERROR(blobs->OpenFolders());
  return std::unique_ptr<BlobStore>(std::move(blobs));
}

std::string BlobPath(const std::string& sha256) { return sha256.substr(0, 2) + "/" + sha256; }

}  // namespace bitwright::server
