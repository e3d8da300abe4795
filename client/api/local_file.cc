#include "client/api/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "client/api/client_errors.h"
#include "client/api/part_file.h"
#include "proto/base/status_macros.h"

namespace bitwright::client {

absl::StatusOr<LocalFile> LocalFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileUnreadable(path, errno);
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  if (!known || !S_ISREG(info.st_mode)) {
    const int error = !known ? errno : (S_ISDIR(info.st_mode) ? EISDIR : EINVAL);
    ::close(fd);
    return FileUnreadable(path, error);
  }
  return LocalFile(fd, path, info.st_size);
}

LocalFile::~LocalFile() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status LocalFile::ReadAt(int64_t offset, char* data, size_t size) const {
  while (size > 0) {
    const ssize_t got = ::pread(fd_, data, size, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileUnreadable(path_, errno);
    if (got == 0) return FileShrank(path_, size_bytes_);
    data += got;
    offset += got;
    size -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const LocalFile file, LocalFile::Open(path));
  std::string data(static_cast<size_t>(file.size_bytes()), '\0');
  ABSL_RETURN_IF_ERROR(file.ReadAt(0, data.data(), data.size()));
  return data;
}

absl::Status WriteWholeFile(const std::string& path, std::string_view data) {
  ABSL_ASSIGN_OR_RETURN(PartFile part, PartFile::Open(path));
  ABSL_RETURN_IF_ERROR(part.Truncate());
  ABSL_RETURN_IF_ERROR(part.Append(data));
  return part.Publish();
}

}  // namespace bitwright::client
