#include "proto/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "proto/base/owned_fd.h"

namespace bitwright {

absl::StatusOr<std::string> ReadWholeFile(const std::string& path, FileErrorFunction* unreadable) {
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return unreadable(path, errno);
  if (!S_ISREG(info.st_mode)) return unreadable(path, S_ISDIR(info.st_mode) ? EISDIR : EINVAL);
  std::string data(static_cast<size_t>(info.st_size), '\0');
  const ssize_t got = ReadAt(file.get(), 0, data.data(), data.size());
  if (got < 0) return unreadable(path, errno);
  data.resize(static_cast<size_t>(got));
  return data;
}

namespace {

absl::Status WriteFile(const std::string& path, std::string_view data, int how, mode_t mode,
                       FileErrorFunction* unwritable) {
  const std::string part = path + ".part";
  OwnedFd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | how, mode));
  if (file.get() < 0) return unwritable(part, errno);
  const auto failed = [&](const std::string& what) {
    const int why = errno;
    ::unlink(part.c_str());
    return unwritable(what, why);
  };
  if (WriteAll(file.get(), data) < 0) return failed(part);
  if (::fsync(file.get()) != 0 && errno != EINVAL) return failed(part);
  if (file.Close() != 0) return failed(part);
  return std::rename(part.c_str(), path.c_str()) == 0 ? absl::OkStatus() : failed(path);
}

}  // namespace

absl::Status WriteWholeFile(const std::string& path, std::string_view data, FileErrorFunction* unwritable) {
  return WriteFile(path, data, O_TRUNC, 0644, unwritable);
}

absl::Status WritePrivateFile(const std::string& path, std::string_view data, FileErrorFunction* unwritable) {
  const std::string part = path + ".part";
  // A file that is there may be open for others, or lead elsewhere.
  if (::unlink(part.c_str()) != 0 && errno != ENOENT) return unwritable(part, errno);
  return WriteFile(path, data, O_EXCL, 0600, unwritable);
}

int SyncFolder(const std::string& path) {
  const OwnedFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.get() < 0 || ::fsync(folder.get()) != 0 ? errno : 0;
}

ssize_t ReadAt(int fd, int64_t offset, void* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, static_cast<char*>(data) + done, size - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

int WriteAll(int fd, std::string_view data) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return -1;
    data.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

}  // namespace bitwright
