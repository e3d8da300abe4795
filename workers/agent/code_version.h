#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// "0.1.0-0123456789abcdef": the project's version and the first 16 hexadecimal digits of the SHA-256 of an executable.
// Two workers with the same code version run the same code. UNAVAILABLE, reason FILE_UNREADABLE.
absl::StatusOr<std::string> CodeVersion(const std::string& executable);

// SHA-256 and size of a file. UNAVAILABLE or NOT_FOUND, reason FILE_UNREADABLE.
struct FileDigest {
  std::string sha256;
  int64_t size_bytes = 0;
};
absl::StatusOr<FileDigest> DigestFile(const std::string& path);

}  // namespace bitwright::worker
