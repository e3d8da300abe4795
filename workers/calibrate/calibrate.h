#pragma once

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/model/block_runner.h"

namespace bitwright::worker {

// Runs blocks [begin, end) over the windows in x and collects the statistics of every unit's inputs: of an expert those
// of the tokens that went to it, which may be none. x [windows · window, hidden] holds the residual stream that enters
// block `begin`, and afterwards the one that leaves block end − 1. One block's weights and statistics are live at a
// time: `done` gets those of each input in the order of CalibratedInputs. `progress` gets the share done.
absl::Status Calibrate(BlockRunner& runner, int64_t begin, int64_t end, const Matrix& x,
                       const std::function<absl::Status(UnitStatistics)>& done,
                       const std::function<void(double)>& progress);

// The inputs of the units of blocks [begin, end), unit by unit, expert by expert.
std::vector<StatisticsWriter::Input> CalibratedInputs(const ModelConfig& config, int64_t begin, int64_t end);

}  // namespace bitwright::worker
