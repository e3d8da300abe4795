#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"

namespace bitwright::worker {

// Token ids given instead of text: one JSON array of exactly `window` non-negative integers per line; empty lines are
// passed over. `sink` gets the ids of each line; its error ends it. INVALID_ARGUMENT, reason DATA_INVALID, naming the
// line.
absl::Status ParseIdLines(std::string_view text, int64_t window,
                          absl::FunctionRef<absl::Status(std::span<const int32_t> ids)> sink);

}  // namespace bitwright::worker
