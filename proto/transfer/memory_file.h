#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/base/files.h"
#include "proto/base/owned_fd.h"

namespace bitwright {

// Bytes as a file of this process that is on no disk, for what reads files; it is there as long as the object.
class MemoryFile {
 public:
  // The errors of `unwritable`.
  static absl::StatusOr<std::shared_ptr<const MemoryFile>> Make(std::string_view bytes, FileErrorFunction* unwritable);
  const std::string& path() const { return path_; }

 private:
  explicit MemoryFile(OwnedFd fd) : fd_(std::move(fd)), path_("/proc/self/fd/" + std::to_string(fd_.get())) {}

  OwnedFd fd_;
  std::string path_;
};

}  // namespace bitwright
