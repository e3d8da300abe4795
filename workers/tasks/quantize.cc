#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/quantize/input_rounder.h"
#include "workers/quantize/packed_unit.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::vector<UnitFormat>> UnitsOf(const v1::QuantizeParams& params, const Model& model) {
  std::vector<UnitFormat> units;
  for (int64_t b = params.blocks().begin(); b < params.blocks().end(); ++b) {
    for (UnitSpec& unit : model.config().block(b).units) {
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
                          RoundingOptions rounding, TaskIo& io, PackedUnitsWriter& writer) {
  rounding.storage_type = unit.scale_type;
  const DeviceMatrix weight(io.device(), DType::kF32, unit.unit.out(), unit.unit.in());
  model.LoadUnit(unit.unit, io.device(), weight.view());
  const float* rows = CpuData(weight.view());
  return ForEachInput(unit.unit, statistics, rounding, io.pool(), [&](const InputRounder& input) {
    const size_t end = input.first_linear + unit.unit.linears_of_expert();
    for (size_t l = input.first_linear; l < end; ++l) {
      const LinearSpec& linear = unit.unit.linears[l];
      const int64_t count = linear.out * linear.in;
      ABSL_RETURN_IF_ERROR(
          writer.Append(linear, unit.format, unit.scale_type,
                        input.rounder.Round({rows, static_cast<size_t>(count)}, linear.out, unit.format)));
      rows += count;
    }
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status RunQuantize(const v1::QuantizeParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  ABSL_ASSIGN_OR_RETURN(const std::string statistics_path, io.InputPath(TaskFile::kStatistics));
  ABSL_ASSIGN_OR_RETURN(const StatisticsFile statistics, StatisticsFile::Open(statistics_path));
  ABSL_ASSIGN_OR_RETURN(const std::vector<UnitFormat> units, UnitsOf(params, model));
  ABSL_ASSIGN_OR_RETURN(PackedUnitsWriter writer, PackedUnitsWriter::Create(io.NewOutput(TaskFile::kWeights), units));
  for (size_t u = 0; u < units.size(); ++u) {
    ABSL_RETURN_IF_ERROR(QuantizeUnit(units[u], model, statistics, RoundingOf(params.rounding()), io, writer));
    io.Progress(static_cast<double>(u + 1) / static_cast<double>(units.size()));
  }
  return writer.Close();
}

}  // namespace bitwright::worker
