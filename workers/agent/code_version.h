#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "proto/contract/digest.h"

namespace bitwright::worker {

// "0.1.0-0123456789abcdef": the project's version and the first 16 hexadecimal digits of the SHA-256 of an executable.
// Two workers with the same code version run the same code. UNAVAILABLE, reason FILE_UNREADABLE.
absl::StatusOr<std::string> CodeVersion(const std::string& executable);

// SHA-256 and size of a file. UNAVAILABLE, reason FILE_UNREADABLE.
absl::StatusOr<BlobDigest> DigestFile(const std::string& path);

}  // namespace bitwright::worker
