#pragma once

#include <string>
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

// A whole file of statistics.
inline absl::Status WriteStatistics(const std::string& path, const std::vector<UnitStatistics>& units) {
  std::vector<StatisticsWriter::Input> inputs;
  for (const UnitStatistics& unit : units) inputs.push_back({unit.unit, unit.input.columns});
  ABSL_ASSIGN_OR_RETURN(StatisticsWriter writer, StatisticsWriter::Create(path, inputs));
  for (const UnitStatistics& unit : units) ABSL_RETURN_IF_ERROR(writer.Append(unit.input));
  return writer.Close();
}

}  // namespace bitwright::worker
