#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// Token ids given instead of text: one JSON array of exactly `window` non-negative integers per line; empty lines are
// passed over. Returns all ids, window after window. INVALID_ARGUMENT, reason DATA_INVALID, naming the line.
absl::StatusOr<std::vector<int32_t>> ParseIdLines(std::string_view text, int64_t window);

}  // namespace bitwright::worker
