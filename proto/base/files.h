#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace bitwright {

// Names a failed step in the caller's own terms: `error` is an errno. A client says FAILED_PRECONDITION where a worker
// says UNAVAILABLE, so this floor does not choose.
using FileErrorFunction = absl::Status(const std::string& path, int error);

// A regular file as a whole. For small files. EISDIR for a folder, EINVAL for what is not a plain file either.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, FileErrorFunction* unreadable);

// Writes "{path}.part", flushes it to the disk and renames it: a reader sees all or nothing.
absl::Status WriteWholeFile(const std::string& path, std::string_view data, FileErrorFunction* unwritable);

// The same, for the eyes of this user alone (mode 0600), whatever stood there before. Replaces leftovers of its own.
absl::Status WritePrivateFile(const std::string& path, std::string_view data, FileErrorFunction* unwritable);

// Makes names in the folder as lasting as the files that they name. An errno, or 0; EINVAL: its file system cannot.
int SyncFolder(const std::string& path);

// As pread(2), but goes on after short reads and interruptions: fewer than `size` bytes only at the file's end; −1 with
// errno.
ssize_t ReadAt(int fd, int64_t offset, void* data, size_t size);
// As write(2), but whole or −1 with errno.
int WriteAll(int fd, std::string_view data);

}  // namespace bitwright
