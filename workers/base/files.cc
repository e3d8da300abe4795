#include "workers/base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "proto/base/files.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/base/base_errors.h"

namespace bitwright::worker {
absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileUnreadableError(path, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : (errno != 0 ? errno : EINVAL);
    ::close(fd);
    return FileUnreadableError(path, error);
  }
  const size_t size = static_cast<size_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      ::close(fd);
      return FileUnreadableError(path, error);
    }
  }
  ::close(fd);
  return std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size));
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::WillNeed(std::span<const std::byte> part) const {
  const auto [begin, end] = Pages(part, /*whole=*/false);
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_WILLNEED);
}

void MappedFile::Release(std::span<const std::byte> part) const {
  const auto [begin, end] = Pages(part, /*whole=*/true);
  if (begin < end) ::madvise(const_cast<std::byte*>(data_) + begin, end - begin, MADV_DONTNEED);
}

std::pair<size_t, size_t> MappedFile::Pages(std::span<const std::byte> part, bool whole) const {
  if (part.empty()) return {0, 0};
  CHECK(part.data() >= data_ && part.data() + part.size() <= data_ + size_) << "not of this file";
  static const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  const size_t first = static_cast<size_t>(part.data() - data_), last = first + part.size();
  const auto down = [](size_t byte) { return byte / page * page; };
  const auto up = [](size_t byte) { return (byte + page - 1) / page * page; };
  return whole ? std::pair(up(first), down(last)) : std::pair(down(first), last);
}

absl::StatusOr<FileWriter> FileWriter::Create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return FileUnwritableError(path, errno);
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
  if (WriteAll(fd_, {static_cast<const char*>(data), size}) != 0) return FileUnwritableError(path_, errno);
  return absl::OkStatus();
}

absl::Status FileWriter::Close() {
  if (::close(std::exchange(fd_, -1)) != 0) return FileUnwritableError(path_, errno);
  return absl::OkStatus();
}

absl::Status WriteFile(const std::string& path, std::string_view data) {
  ABSL_ASSIGN_OR_RETURN(FileWriter writer, FileWriter::Create(path));
  ABSL_RETURN_IF_ERROR(writer.Append(data));
  return writer.Close();
}

absl::StatusOr<std::string> ReadFile(const std::string& path) { return ReadWholeFile(path, FileUnreadableError); }

}  // namespace bitwright::worker
