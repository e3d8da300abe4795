#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason FORMAT_UNKNOWN.
absl::Status FormatUnknownError(std::string_view name);
// Likewise, of GGUF's block types.
absl::Status BlockTypeUnknownError(std::string_view name, std::string_view known);

}  // namespace bitwright::worker
