#include "client/api/part_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "client/api/client_errors.h"

namespace bitwright::client {

absl::StatusOr<PartFile> PartFile::Open(const std::string& path) {
  const std::string part = path + ".part";
  const int fd = ::open(part.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return FileUnwritable(part, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0) {
    const int error = errno;
    ::close(fd);
    return FileUnwritable(part, error);
  }
  return PartFile(fd, path, info.st_size);
}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status PartFile::Append(std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd_, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileUnwritable(part_path_, errno);
    data.remove_prefix(static_cast<size_t>(written));
    size_bytes_ += written;
  }
  return absl::OkStatus();
}

absl::Status PartFile::Truncate() {
  if (::ftruncate(fd_, 0) != 0) return FileUnwritable(part_path_, errno);
  size_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status PartFile::Publish() {
  if (::fsync(fd_) != 0 && errno != EINVAL) return FileUnwritable(part_path_, errno);
  if (::close(std::exchange(fd_, -1)) != 0) return FileUnwritable(part_path_, errno);
  if (std::rename(part_path_.c_str(), path_.c_str()) != 0) return FileUnwritable(path_, errno);
  return absl::OkStatus();
}

}  // namespace bitwright::client
