#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::client {

// A file in the making: bytes gather in "{path}.part" and appear as `path` in one step. What is there of an earlier,
// interrupted attempt is kept, so that the attempt can continue. Not thread-safe.
// Errors: FAILED_PRECONDITION, reason FILE_UNWRITABLE; RESOURCE_EXHAUSTED, reason DISK_FULL.
class PartFile {
 public:
  static absl::StatusOr<PartFile> Open(const std::string& path);
  ~PartFile();  // leaves the part where it is
  PartFile(PartFile&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)), size_bytes_(other.size_bytes_) {}
  PartFile& operator=(PartFile&&) = delete;

  const std::string& part_path() const { return part_path_; }
  int64_t size_bytes() const { return size_bytes_; }  // held so far
  absl::Status Append(std::string_view data);
  absl::Status Truncate();  // to nothing
  // Flushes to the disk and renames. Call once, last.
  absl::Status Publish();

 private:
  PartFile(int fd, const std::string& path, int64_t size_bytes) : fd_(fd), path_(path), size_bytes_(size_bytes) {}
  int fd_;
  std::string path_;
  std::string part_path_ = path_ + ".part";
  int64_t size_bytes_;
};

}  // namespace bitwright::client
