#pragma once

#include <utility>
#include <vector>

#include "proto/base/status_macros.h"
#include "workers/calibrate/calibrate.h"

namespace bitwright::worker {

// The statistics of all inputs of blocks [begin, end) at once, as Calibrate gives them one by one.
inline absl::StatusOr<std::vector<UnitStatistics>> CalibrateAll(BlockRunner& runner, int64_t begin, int64_t end,
                                                                const Matrix& x) {
  std::vector<UnitStatistics> all;
  ABSL_RETURN_IF_ERROR(Calibrate(
      runner, begin, end, x,
      [&](UnitStatistics unit) {
        all.push_back(std::move(unit));
        return absl::OkStatus();
      },
      [](double) {}));
  return all;
}

}  // namespace bitwright::worker
