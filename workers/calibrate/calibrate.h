#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/model/window_runner.h"

namespace bitwright::worker {

// Runs blocks [begin, end) over the windows in x and collects the statistics of every unit's input. x
// [windows, window, hidden] holds the residual stream that enters block `begin`, and afterwards the one that leaves
// block end − 1. One block's weights and statistics are live at a time besides the result.
// `progress` gets the share done.
absl::StatusOr<std::vector<UnitStatistics>> Calibrate(WindowRunner& runner, int64_t begin, int64_t end, int64_t windows,
                                                      float* x, const std::function<void(double)>& progress);

}  // namespace bitwright::worker
