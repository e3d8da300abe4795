#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace bitwright::server {

// The server's directory, locked while the object lives: one server per directory.
//   db.sqlite, blobs/, uploads/, work/{i}/ (of local workers), worker-token, tls/ (copies of certificates), lock
class DataDir {
 public:
  // Makes the directory when it is missing. UNAVAILABLE, reason DATA_DIR_UNUSABLE; FAILED_PRECONDITION, reason
  // DATA_DIR_LOCKED.
  static absl::StatusOr<std::unique_ptr<DataDir>> Open(const std::string& path);
  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  const std::string& path() const { return path_; }  // absolute
  std::string database() const { return path_ + "/db.sqlite"; }
  std::string blobs() const { return path_ + "/blobs"; }
  // Makes the folder of a local worker.
  absl::StatusOr<std::string> WorkDir(int worker) const;

 private:
  DataDir(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}
  std::string path_;
  int lock_fd_;
};

// Writes a small file whole: readers see either nothing or all of it. UNAVAILABLE, reason PORT_FILE_UNWRITABLE.
absl::Status WritePortFile(const std::string& path, const std::string& address);

}  // namespace bitwright::server
