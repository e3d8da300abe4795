#include "workers/quantize/input_rounder.h"

#include "proto/base/status_macros.h"
#include "workers/calibrate/calibrate_errors.h"
#include "workers/quantize/factor_file.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<UnitRounder> RounderOf(const StatisticsFile& statistics, const std::string& input,
                                      const RoundingOptions& options, Device& device) {
  const bool gptq = options.method == RoundingOptions::Method::kGptq;
  if (HoldsFactors(statistics)) {
    if (!gptq) return StatisticsDamagedError(input);
    ABSL_ASSIGN_OR_RETURN(auto factor, ReadFactor(statistics, input, options.factor(), device));
    return UnitRounder::Create(std::move(factor), options, device);
  }
  ABSL_ASSIGN_OR_RETURN(InputStatistics read, statistics.Read(input));
  if (read.rows == 0) BecomeIdentity(read);
  return UnitRounder::Create(read, options, device);
}

}  // namespace

absl::Status ForEachInput(const UnitSpec& unit, const StatisticsFile& statistics, const RoundingOptions& options,
                          Device& device, const std::function<absl::Status(const InputRounder&)>& body) {
  std::vector<int64_t> rows;
  double all = 0;
  for (int64_t e = 0; e < unit.experts; ++e) {
    ABSL_ASSIGN_OR_RETURN(const int64_t of_expert, statistics.Rows(unit.input(e)));
    rows.push_back(of_expert);
    all += static_cast<double>(of_expert);
  }
  for (int64_t e = 0; e < unit.experts; ++e) {
    const double own = static_cast<double>(rows[static_cast<size_t>(e)]);
    ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, RounderOf(statistics, unit.input(e), options, device));
    const size_t first = static_cast<size_t>(e) * unit.linears_of_expert();
    ABSL_RETURN_IF_ERROR(body({rounder, first, e, all == 0 ? 1 : own / all, own > 0}));
  }
  return absl::OkStatus();
}

}  // namespace bitwright::worker
