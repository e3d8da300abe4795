#pragma once

#include <string>

#include "absl/status/status.h"

namespace bitwright::worker {

// INVALID_ARGUMENT, reason CURVATURE_DAMAGED; metadata: unit.
absl::Status CurvatureDamagedError(const std::string& unit);

}  // namespace bitwright::worker
