#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright::server {

// Lets a test break the disk, or hold it up: called before each "write", "fsync", "rename" and "read" (of what an
// upload left) with the path; returns an errno to fail with, or 0.
using DiskFault = std::function<int(std::string_view operation, const std::string& path)>;

// An open file; closed when it goes.
class OpenFile {
 public:
  OpenFile() = default;
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  OpenFile& operator=(OpenFile&& other) noexcept;
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// File-system steps with errors as statuses of blob_errors.h (DISK_FULL, BLOB_UNWRITABLE, BLOB_UNREADABLE).
class DiskFiles {
 public:
  explicit DiskFiles(DiskFault fault) : fault_(std::move(fault)) {}

  // Makes the folder, and its entry in the folder above durable; OK when it is there.
  absl::Status MakeFolder(const std::string& path) const;
  absl::StatusOr<OpenFile> OpenForWriting(const std::string& path) const;  // made when it is not there
  // The parts one after the other.
  absl::Status WriteAt(const OpenFile& file, const std::string& path, int64_t offset,
                       const std::vector<std::string_view>& parts) const;
  // As ReadAt, of a file that is being written.
  absl::Status ReadBack(const OpenFile& file, const std::string& path, int64_t offset, char* buffer, size_t size) const;
  // Has the disk begin with what was written there, so that Sync finds little left to do. Without effect where the file
  // system cannot.
  static void BeginSync(const OpenFile& file, int64_t offset, int64_t size);
  absl::Status Sync(const OpenFile& file, const std::string& path) const;
  absl::Status SyncFolder(const std::string& path) const;
  absl::Status Rename(const std::string& from, const std::string& to) const;

 private:
  absl::Status Failure(const std::string& path, int error) const;
  int Fault(std::string_view operation, const std::string& path) const;
  DiskFault fault_;
};

// Reads exactly `size` bytes. UNAVAILABLE, reason BLOB_UNREADABLE, also for a file that ends early.
absl::Status ReadAt(const OpenFile& file, const std::string& path, int64_t offset, char* buffer, size_t size);

}  // namespace bitwright::server
