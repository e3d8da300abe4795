#include "workers/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "proto/base/errors.h"
#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

absl::Status Unreadable(const std::string& path, int error) {
  const auto code = error == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable;
  return MakeError(code, "FILE_UNREADABLE", "file '" + path + "' cannot be read: " + std::strerror(error),
                   {{"file", path}});
}

absl::Status Unwritable(const std::string& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return MakeError(
      full ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kUnavailable,
      full ? "DISK_FULL" : "FILE_UNWRITABLE",
      "file '" + path + "' cannot be written: " + std::strerror(error) + (full ? "; make room on that disk" : ""),
      {{"file", path}});
}

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Unreadable(path, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : (errno != 0 ? errno : EINVAL);
    ::close(fd);
    return Unreadable(path, error);
  }
  const size_t size = static_cast<size_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      return Unreadable(path, error);
    }
  }
  ::close(fd);
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(const_cast<std::byte*>(data_), size_);
}

absl::StatusOr<FileWriter> FileWriter::Create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return Unwritable(path, errno);
  return FileWriter(fd, path);
}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
}

FileWriter::FileWriter(FileWriter&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

FileWriter& FileWriter::operator=(FileWriter&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  return *this;
}

absl::Status FileWriter::Append(const void* data, size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(fd_, at, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Unwritable(path_, errno);
    at += written;
    size -= static_cast<size_t>(written);
  }
  return absl::OkStatus();
}

absl::Status FileWriter::Close() {
  if (::close(std::exchange(fd_, -1)) != 0) return Unwritable(path_, errno);
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, std::string_view data) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  ABSL_RETURN_IF_ERROR(writer.Append(data));
  return writer.Close();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  return std::string(file->text());
}

}  // namespace bitwright::worker
