#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "proto/contract/digest.h"
#include "workers/agent/loaded_files.h"

namespace bitwright::worker {

// "0.1.0-0123456789abcdef": the project's version and the first 16 hexadecimal digits of the SHA-256 over an executable
// and the libraries that compute with it. Two workers with the same code version run the same code. The order of the
// libraries and where they lie do not count; their names and bytes do.
std::string CodeVersionOf(const BlobDigest& executable, std::vector<LoadedLibrary> libraries);

// The same of a file and of what this process has loaded; call it once in a process. UNAVAILABLE, reason
// FILE_UNREADABLE.
absl::StatusOr<std::string> CodeVersion(const std::string& executable);

// Of libraries that a device computes with, beside the program (proto/contract/code_version.h): 8 hexadecimal digits of
// the SHA-256 over their names and bytes, whatever their order.
std::string LibrariesVersion(std::vector<LoadedLibrary> libraries);

// SHA-256 and size of a file. UNAVAILABLE, reason FILE_UNREADABLE.
absl::StatusOr<BlobDigest> DigestFile(const std::string& path);

}  // namespace bitwright::worker
