#include "workers/sensitivity/sensitivity_errors.h"

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status CurvatureDamagedError(const std::string& unit) {
  return MakeError(absl::StatusCode::kInvalidArgument, "CURVATURE_DAMAGED",
                   "the curvature of unit '" + unit + "' is not one number for each of its output rows, from 0 up",
                   {{"unit", unit}});
}

}  // namespace bitwright::worker
