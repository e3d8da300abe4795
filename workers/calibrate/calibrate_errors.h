#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason STATISTICS_DAMAGED; metadata: unit.
absl::Status StatisticsDamagedError(const std::string& unit);

}  // namespace bitwright::worker
