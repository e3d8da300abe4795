#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::client {

// A regular file opened for reading, with the size that it had then. ReadAt is thread-safe.
class LocalFile {
 public:
  // NOT_FOUND or FAILED_PRECONDITION, reason FILE_UNREADABLE.
  static absl::StatusOr<LocalFile> Open(const std::string& path);
  ~LocalFile();
  LocalFile(LocalFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), size_bytes_(other.size_bytes_) {}
  LocalFile& operator=(LocalFile&&) = delete;

  const std::string& path() const { return path_; }
  int64_t size_bytes() const { return size_bytes_; }
  // Fills data[0, size) with the bytes from offset. FAILED_PRECONDITION, reason FILE_CHANGED, when they are not there.
  absl::Status ReadAt(int64_t offset, char* data, size_t size) const;

 private:
  LocalFile(int fd, std::string path, int64_t size_bytes) : fd_(fd), path_(std::move(path)), size_bytes_(size_bytes) {}
  int fd_;
  std::string path_;
  int64_t size_bytes_;
};

// Small files as a whole. Errors as above; writing: FILE_UNWRITABLE or DISK_FULL, atomic (a reader sees all or
// nothing).
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);
absl::Status WriteWholeFile(const std::string& path, std::string_view data);

}  // namespace bitwright::client
