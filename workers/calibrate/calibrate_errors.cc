#include "workers/calibrate/calibrate_errors.h"

#include "proto/base/errors.h"

namespace bitwright::worker {

absl::Status StatisticsDamagedError(const std::string& unit) {
  return MakeError(absl::StatusCode::kInvalidArgument, "STATISTICS_DAMAGED",
                   "the statistics of unit '" + unit + "' have shapes that do not agree", {{"unit", unit}});
}

}  // namespace bitwright::worker
