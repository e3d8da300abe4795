#pragma once

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace bitwright {

absl::Status InterruptedError();  // CANCELLED, INTERRUPTED
// INVALID_ARGUMENT, FAILPOINTS_INVALID: the entry of the schedule, and what is wrong with it.
absl::Status FailpointsInvalidError(std::string_view entry, std::string_view why);
// INVALID_ARGUMENT, TEXT_INVALID: the field, and the byte at which its text stops being UTF-8.
absl::Status TextInvalidError(std::string_view field, std::string_view text, size_t at);

}  // namespace bitwright
