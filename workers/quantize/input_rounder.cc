#include "workers/quantize/input_rounder.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker {
namespace {

void BecomeIdentity(InputStatistics& statistics) {
  std::fill_n(statistics.second_moment.data(), statistics.second_moment.size(), 0.0f);
  for (int64_t i = 0; i < statistics.columns; ++i) {
    statistics.second_moment[PackedTriangleIndex(statistics.columns, i, i)] = 1;
  }
}

}  // namespace

absl::Status ForEachInput(const UnitSpec& unit, const StatisticsFile& statistics, const RoundingOptions& options,
                          ThreadPool& pool, const std::function<absl::Status(const InputRounder&)>& body) {
  double all = 0;
  for (int64_t e = 0; e < unit.experts; ++e) {
    ABSL_ASSIGN_OR_RETURN(const int64_t rows, statistics.Rows(unit.input(e)));
    all += static_cast<double>(rows);
  }
  for (int64_t e = 0; e < unit.experts; ++e) {
    ABSL_ASSIGN_OR_RETURN(InputStatistics input, statistics.Read(unit.input(e)));
    const double share = all == 0 ? 1 : static_cast<double>(input.rows) / all;
    if (input.rows == 0) BecomeIdentity(input);
    ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, UnitRounder::Create(input, options, pool));
    ABSL_RETURN_IF_ERROR(body({rounder, static_cast<size_t>(e) * unit.linears_of_expert(), e, share, input.rows > 0}));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
