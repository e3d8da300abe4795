#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::Status FormatUnknownError(std::string_view name);

}  // namespace bitwright::worker
