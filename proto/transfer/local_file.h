#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/base/cancel_token.h"
#include "proto/base/files.h"
#include "proto/base/owned_fd.h"
#include "proto/contract/digest.h"

namespace bitwright {

// How the caller names what goes wrong with a file that is read.
struct LocalFileErrors {
  FileErrorFunction* unreadable;  // EISDIR for a folder, EINVAL for what is not a plain file either
  absl::Status (*shrank)(const std::string& path, int64_t size_bytes);  // it no longer has the size that it had
};

// A regular file opened for reading, with the size that it had then. Reading is thread-safe.
class LocalFile {
 public:
  enum class Links {
    kFollow,
    kRefuse,  // ELOOP for a link: what a task wrote must not lead to other files of this machine
  };

  // Never waits for a writer, as a pipe would make it.
  static absl::StatusOr<LocalFile> Open(const std::string& path, const LocalFileErrors& errors,
                                        Links links = Links::kFollow);

  const std::string& path() const { return path_; }
  int64_t size_bytes() const { return size_bytes_; }
  // Fills data[0, size) with the bytes from offset.
  absl::Status Read(int64_t offset, char* data, size_t size) const;
  // Its first bytes: `most`, or all where it has fewer.
  absl::StatusOr<std::string> Head(int64_t most) const;
  // Feeds the file's bytes to `hash`. `on_bytes`, if any, is told of each piece. CANCELLED, reason INTERRUPTED.
  absl::Status HashTo(Sha256& hash, const CancelToken& cancel,
                      const std::function<void(int64_t bytes)>& on_bytes = nullptr) const;

 private:
  LocalFile(OwnedFd fd, std::string path, int64_t size_bytes, const LocalFileErrors& errors)
      : fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes), errors_(errors) {}
  OwnedFd fd_;
  std::string path_;
  int64_t size_bytes_;
  LocalFileErrors errors_;
};

}  // namespace bitwright
