#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// Faults of the machine's files, memory and devices. `error` is an errno; metadata: file.

// NOT_FOUND when there is no such file, else UNAVAILABLE; reason FILE_UNREADABLE.
absl::Status FileUnreadableError(const std::string& path, int error);

// RESOURCE_EXHAUSTED, reason DISK_FULL, when the disk or the quota is full; else UNAVAILABLE, reason FILE_UNWRITABLE.
absl::Status FileUnwritableError(const std::string& path, int error);

// RESOURCE_EXHAUSTED, reason OUT_OF_MEMORY: `what` ("task 'profile'") needs more than the bytes that it may take. A
// fault of the machine: one with more memory can do it. metadata: available_bytes.
absl::Status OutOfMemoryError(const std::string& what, int64_t available_bytes);

// UNAVAILABLE, reason DEVICE_FAILED: the device that `what` ("task 'profile'") computed on failed; `failure` names the
// operation and the device. Another device can do it, or the same one after a fresh start.
absl::Status DeviceFailedError(const std::string& what, const std::string& failure);

}  // namespace bitwright::worker
