#include "server/blobs/disk_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proto/base/failpoint.h"
#include "proto/base/status_macros.h"
#include "server/blobs/blob_errors.h"

namespace bitwright::server {

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

absl::Status DiskFiles::Failure(const std::string& path, int error) const {
  return error == ENOSPC || error == EDQUOT ? DiskFullError(path) : BlobUnwritableError(path, error);
}

int DiskFiles::Fault(std::string_view operation, const std::string& path) const {
  return fault_ ? fault_(operation, path) : 0;
}

absl::Status DiskFiles::MakeFolder(const std::string& path) const {
  if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return absl::OkStatus();
  return Failure(path, errno);
}

absl::StatusOr<OpenFile> DiskFiles::OpenForWriting(const std::string& path) const {
  OpenFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return Failure(path, errno);
  return file;
}

absl::Status DiskFiles::WriteAt(const OpenFile& file, const std::string& path, int64_t offset,
                                std::string_view data) const {
  if (const int error = Fault("write", path); error != 0) return Failure(path, error);
  if (const int error = Failpoint("blob.write"); error != 0) return Failure(path, error);
  while (!data.empty()) {
    const ssize_t written = ::pwrite(file.fd(), data.data(), data.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failure(path, errno);
    data.remove_prefix(written);
    offset += written;
  }
  return absl::OkStatus();
}

absl::Status DiskFiles::Sync(const OpenFile& file, const std::string& path) const {
  if (const int error = Fault("fsync", path); error != 0) return Failure(path, error);
  if (const int error = Failpoint("blob.fsync"); error != 0) return Failure(path, error);
  return ::fsync(file.fd()) == 0 ? absl::OkStatus() : Failure(path, errno);
}

absl::Status DiskFiles::SyncFolder(const std::string& path) const {
  OpenFile folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return Failure(path, errno);
  return Sync(folder, path);
}

absl::Status DiskFiles::Rename(const std::string& from, const std::string& to) const {
  if (const int error = Fault("rename", to); error != 0) return Failure(to, error);
  if (const int error = Failpoint("blob.before_rename"); error != 0) return Failure(to, error);
  return ::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : Failure(to, errno);
}

absl::Status ReadAt(const OpenFile& file, const std::string& path, int64_t offset, char* buffer, size_t size) {
  if (const int error = Failpoint("blob.read"); error != 0) return BlobUnreadableError(path, error);
  while (size > 0) {
    const ssize_t count = ::pread(file.fd(), buffer, size, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return BlobUnreadableError(path, count < 0 ? errno : EIO);
    buffer += count;
    offset += count;
    size -= count;
  }
  return absl::OkStatus();
}

}  // namespace bitwright::server
