#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason COMPUTE_CLASS_UNAVAILABLE: unknown, or above `offered`; metadata: compute_class.
absl::Status ComputeClassUnavailableError(std::string_view compute_class, const std::string& offered);

// FAILED_PRECONDITION, reason COMPUTE_CLASS_FIXED: a kernel has already run in this process; metadata: compute_class.
absl::Status ComputeClassFixedError(std::string_view compute_class);

// UNAVAILABLE, reason DEVICE_UNAVAILABLE: a device that this machine or this build does not have; metadata: device.
absl::Status DeviceUnavailableError(const std::string& device, std::string_view why);

}  // namespace bitwright::worker
