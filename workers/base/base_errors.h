#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// Faults of the machine's files. `error` is an errno; metadata: file.

// NOT_FOUND when there is no such file, else UNAVAILABLE; reason FILE_UNREADABLE.
absl::Status FileUnreadableError(const std::string& path, int error);

// RESOURCE_EXHAUSTED, reason DISK_FULL, when the disk or the quota is full; else UNAVAILABLE, reason FILE_UNWRITABLE.
absl::Status FileUnwritableError(const std::string& path, int error);

}  // namespace bitwright::worker
