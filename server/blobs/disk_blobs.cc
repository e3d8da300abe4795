#include "server/blobs/disk_blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "proto/base/status_macros.h"
#include "server/blobs/blob_errors.h"
#include "server/blobs/disk_upload.h"

namespace bitwright::server {
namespace {

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
  DiskBlobs(const std::string& root, DiskFault fault)
      : blobs_(root + "/blobs"), uploads_(root + "/uploads"), files_(std::move(fault)) {}

  absl::Status MakeFolders() {
    ABSL_RETURN_IF_ERROR(files_.MakeFolder(blobs_));
    return files_.MakeFolder(uploads_);
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

  absl::StatusOr<std::unique_ptr<BlobUpload>> StartUpload(const UploadName& name) override {
    const std::string file = FileName(name);
    {
      absl::MutexLock lock(&mutex_);
      if (!busy_.insert(file).second) return UploadBusyError(name);
    }
    const std::string folder = blobs_ + "/" + name.digest.sha256.substr(0, 2);
    return OpenDiskUpload(files_, name.digest, {uploads_ + "/" + file, folder, Path(name.digest)}, [this, file] {
      absl::MutexLock lock(&mutex_);
      busy_.erase(file);
    });
  }

  absl::StatusOr<int64_t> UploadedBytes(const UploadName& name) override {
    struct stat info;
    if (::stat((uploads_ + "/" + FileName(name)).c_str(), &info) != 0) return UploadUnknownError(name);
    return static_cast<int64_t>(info.st_size);
  }

  absl::Status DiscardStaleUploads(absl::Time cutoff) override {
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(uploads_, error)) {
      struct stat info;
      if (::stat(entry.path().c_str(), &info) != 0) continue;
      const absl::Time written = absl::TimeFromTimespec(info.st_mtim);
      // The lock is held over the removal: no stream can take the file up in between.
      absl::MutexLock lock(&mutex_);
      if (written <= cutoff && !busy_.contains(entry.path().filename().string())) {
        ::unlink(entry.path().c_str());
      }
    }
    return error ? BlobUnreadableError(uploads_, error.value()) : absl::OkStatus();
  }

 private:
  std::string Path(const BlobDigest& digest) const { return blobs_ + "/" + BlobPath(digest.sha256); }
  static std::string FileName(const UploadName& name) {
    return name.uuid + "." + name.digest.sha256 + "." + std::to_string(name.digest.size_bytes);
  }

  const std::string blobs_;
  const std::string uploads_;
  const DiskFiles files_;
  absl::Mutex mutex_;
  std::set<std::string> busy_ ABSL_GUARDED_BY(mutex_);  // files of uploads/ being written
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> OpenDiskBlobs(const std::string& root, DiskFault fault) {
  auto blobs = std::make_unique<DiskBlobs>(root, std::move(fault));
  ABSL_RETURN_IF_ERROR(blobs->MakeFolders());
  return std::unique_ptr<BlobStore>(std::move(blobs));
}

std::string BlobPath(const std::string& sha256) { return sha256.substr(0, 2) + "/" + sha256; }

}  // namespace bitwright::server
