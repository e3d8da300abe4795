#include "server/blobs/disk_files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

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
  if (::mkdir(path.c_str(), 0755) != 0) return errno == EEXIST ? absl::OkStatus() : Failure(path, errno);
  const absl::Status synced = SyncFolder(std::filesystem::path(path).parent_path().string());
  // Not left behind: the next one would find it there and take its entry for durable.
  if (!synced.ok()) ::rmdir(path.c_str());
  return synced;
}

absl::StatusOr<OpenFile> DiskFiles::OpenForWriting(const std::string& path) const {
  OpenFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file.is_open()) return Failure(path, errno);
  return file;
}

absl::Status DiskFiles::WriteAt(const OpenFile& file, const std::string& path, int64_t offset,
                                const std::vector<std::string_view>& parts) const {
  if (const int error = Fault("write", path); error != 0) return Failure(path, error);
  if (const int error = Failpoint("blob.write"); error != 0) return Failure(path, error);
  std::vector<iovec> left;
  for (const std::string_view part : parts) {
    if (!part.empty()) left.push_back({const_cast<char*>(part.data()), part.size()});
  }
  for (size_t next = 0; next < left.size();) {
    const int count = static_cast<int>(std::min<size_t>(left.size() - next, IOV_MAX));
    const ssize_t written = ::pwritev(file.fd(), &left[next], count, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failure(path, errno);
    offset += written;
    auto taken = static_cast<size_t>(written);
    for (; next < left.size() && taken >= left[next].iov_len; ++next) taken -= left[next].iov_len;
    if (taken > 0) left[next] = {static_cast<char*>(left[next].iov_base) + taken, left[next].iov_len - taken};
  }
  return absl::OkStatus();
}

absl::Status DiskFiles::ReadBack(const OpenFile& file, const std::string& path, int64_t offset, char* buffer,
                                 size_t size) const {
  if (const int error = Fault("read", path); error != 0) return BlobUnreadableError(path, error);
  return ReadAt(file, path, offset, buffer, size);
}

void DiskFiles::BeginSync(const OpenFile& file, int64_t offset, int64_t size) {
  (void)::sync_file_range(file.fd(), offset, size, SYNC_FILE_RANGE_WRITE);
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
