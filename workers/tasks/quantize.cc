#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/quantize/packed_unit.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::vector<UnitFormat>> UnitsOf(const v1::QuantizeParams& params, const Model& model) {
  std::vector<UnitFormat> units;
  for (int64_t b = params.blocks().begin(); b < params.blocks().end(); ++b) {
    for (UnitSpec& unit : DescribeBlock(model.config(), b).units) {
      const int at = static_cast<int>(units.size());
      const IntFormat format = at < params.units_size() ? FormatOf(params.units(at).format()) : IntFormat{};
      if (at >= params.units_size() || params.units(at).unit() != unit.name || !CheckFormat(format).ok() ||
          !format.Fits(unit.in())) {
        return PlanInvalidError(unit.name);
      }
      const DType type = model.UnitType(unit);
      units.push_back({std::move(unit), format, type});
    }
  }
  return units;
}

absl::Status QuantizeUnit(const UnitFormat& unit, const Model& model, const StatisticsFile& statistics,
                          RoundingOptions rounding, ThreadPool& pool, PackedUnitsWriter& writer) {
  ABSL_ASSIGN_OR_RETURN(const InputStatistics input, statistics.Read(unit.unit.name));
  rounding.storage_type = unit.scale_type;
  ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, UnitRounder::Create(input, rounding, pool));
  Buffer<float> weights(unit.unit.weights());
  ABSL_RETURN_IF_ERROR(model.LoadUnit(unit.unit, pool, weights.data()));
  int64_t at = 0;
  for (const LinearSpec& linear : unit.unit.linears) {
    const int64_t count = linear.out * linear.in;
    const auto rows = weights.span().subspan(static_cast<size_t>(at), static_cast<size_t>(count));
    ABSL_RETURN_IF_ERROR(
        writer.Append(linear, unit.format, unit.scale_type, rounder.Round(rows, linear.out, unit.format)));
    at += count;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunQuantize(const v1::QuantizeParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  ABSL_ASSIGN_OR_RETURN(const std::string statistics_path, io.InputPath(TaskFile::kStatistics));
  ABSL_ASSIGN_OR_RETURN(const StatisticsFile statistics, StatisticsFile::Open(statistics_path));
  ABSL_ASSIGN_OR_RETURN(const std::vector<UnitFormat> units, UnitsOf(params, model));
  ABSL_ASSIGN_OR_RETURN(PackedUnitsWriter writer, PackedUnitsWriter::Create(io.NewOutput(TaskFile::kWeights), units));
  for (size_t u = 0; u < units.size(); ++u) {
    ABSL_RETURN_IF_ERROR(QuantizeUnit(units[u], model, statistics, RoundingOf(params.rounding()), io.pool(), writer));
    io.Progress(static_cast<double>(u + 1) / static_cast<double>(units.size()));
  }
  return writer.Close();
}

}  // namespace bitwright::worker
