#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// Parses hostile JSON: UTF-8, no duplicate keys anywhere, at most `max_depth` levels. `file` names it in errors.
// INVALID_ARGUMENT: JSON_INVALID, JSON_DUPLICATE_KEY. For sources of this folder only (heavy header).
absl::StatusOr<nlohmann::json> ParseStrictJson(std::string_view text, std::string_view file, int max_depth = 32);

}  // namespace bitwright::worker
