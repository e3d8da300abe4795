#include <algorithm>

#include "proto/base/status_macros.h"
#include "proto/contract/memory_cuts.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/quantize/input_rounder.h"
#include "workers/quantize/packed_unit.h"
#include "workers/sensitivity/end_profile.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// A unit and what each plan makes of it.
struct PlannedUnit {
  UnitSpec unit;
  DType type = DType::kF32;
  std::vector<UnitFormats> formats;  // of each plan

  PackedUnit In(size_t plan) const { return {unit, formats[plan], type}; }
  // Whether a unit of these linears can be stored so.
  bool Fit(const UnitFormats& asked) const {
    return (!asked.differ() || asked.all().size() == unit.linears_of_expert()) &&
           std::ranges::all_of(asked.all(), [&](const Format& format) { return Fits(format, unit.in()); });
  }
  // What linear number l is rounded to, each once.
  std::vector<Format> FormatsOf(size_t l) const {
    std::vector<Format> once;
    for (const UnitFormats& own : formats) {
      if (std::ranges::count(once, own.Of(l)) == 0) once.push_back(own.Of(l));
    }
    return once;
  }
  bool AnyOnGrid() const {
    return std::ranges::any_of(formats, [](const UnitFormats& own) { return worker::AnyOnGrid(own.all()); });
  }
};

// The units of the blocks, or the ends.
std::vector<UnitSpec> SpecsOf(const v1::QuantizeParams& params, const Model& model) {
  std::vector<UnitSpec> specs;
  if (params.ends()) {
    for (EndUnit& end : EndUnits(model)) specs.push_back(std::move(end.unit));
    return specs;
  }
  for (int64_t b = params.blocks().begin(); b < params.blocks().end(); ++b) {
    for (UnitSpec& unit : model.config().block(b).units) specs.push_back(std::move(unit));
  }
  return specs;
}

absl::StatusOr<std::vector<PlannedUnit>> UnitsOf(const v1::QuantizeParams& params, const Model& model) {
  std::vector<PlannedUnit> units;
  for (UnitSpec& unit : SpecsOf(params, model)) {
    const int at = static_cast<int>(units.size());
    if (at >= params.units_size() || params.units(at).name() != unit.name) return PlanInvalidError(unit.name);
    const DType type = model.UnitType(unit);
    PlannedUnit& planned = units.emplace_back(PlannedUnit{std::move(unit), type, {}});
    for (const v1::Format& message : params.units(at).formats()) {
      ABSL_ASSIGN_OR_RETURN(UnitFormats formats, UnitFormatsOf(message));
      if (!planned.Fit(formats)) return PlanInvalidError(planned.unit.name);
      planned.formats.push_back(std::move(formats));
    }
  }
  return units;
}

// Rounds the linears on one input, each once to every format, and hands them to the plans that want it.
absl::Status RoundInput(const PlannedUnit& planned, const InputRounder& input, const Matrix& weights,
                        std::vector<PackedUnitsWriter>& writers) {
  absl::Status status;
  const Matrix fused = FusedRows(planned.unit, input, weights);
  ForEachLinear(planned.unit, input, [&](const LinearSpec& linear, size_t l, int64_t row) {
    for (const Format& format : planned.FormatsOf(l)) {
      if (!status.ok()) return;
      QuantizedLinear quantized = input.rounder.Round(weights.Rows(row, linear.out), fused, format);
      for (size_t plan = 0; plan < writers.size(); ++plan) {
        if (planned.formats[plan].Of(l) != format) continue;
        status.Update(writers[plan].Append(linear, format, planned.type, quantized));
      }
    }
  });
  return status;
}

absl::Status QuantizeUnit(const PlannedUnit& planned, const Model& model, const StatisticsFile& statistics,
                          RoundingOptions rounding, TaskIo& io, std::vector<PackedUnitsWriter>& writers) {
  rounding.storage_type = planned.type;
  rounding.on_grids = planned.AnyOnGrid();
  const DeviceMatrix weight(io.device(), DType::kF32, planned.unit.out(), planned.unit.in());
  model.LoadUnit(planned.unit, io.device(), weight.view());
  return ForEachInput(planned.unit, statistics, rounding, io.device(),
                      [&](const InputRounder& input) { return RoundInput(planned, input, weight.view(), writers); });
}

// An end in one format, some rows at a time, for the plans that want it. PLAN_INVALID: its rows do not stand alone.
absl::Status RoundEnd(const PlannedUnit& planned, const EndUnit& end, const Model& model, const UnitRounder& rounder,
                      const Format& format, TaskIo& io, std::vector<PackedUnitsWriter>& writers) {
  if (StoredTensors(format, 1, planned.unit.in(), planned.type).size() != 1) return PlanInvalidError(planned.unit.name);
  const int64_t out = planned.unit.out(), in = planned.unit.in();
  std::vector<std::byte> rows_as_stored;
  for (int64_t first = 0; first < out; first += kEndRows) {
    const int64_t rows = std::min(kEndRows, out - first);
    const DeviceMatrix weights(io.device(), DType::kF32, rows, in);
    LoadEndRows(model, end, first, io.device(), weights.view());
    QuantizedLinear quantized = rounder.Round(weights.view(), weights.view(), format);
    const auto packed = PackLinear({planned.unit.linears.front().name, rows, in}, format, planned.type, quantized);
    if (first == 0)
      rows_as_stored.reserve(packed.front().size() / static_cast<size_t>(rows) * static_cast<size_t>(out));
    rows_as_stored.insert(rows_as_stored.end(), packed.front().begin(), packed.front().end());
  }
  for (size_t plan = 0; plan < writers.size(); ++plan) {
    if (planned.formats[plan].Of(0) == format) ABSL_RETURN_IF_ERROR(writers[plan].Append(rows_as_stored));
  }
  return absl::OkStatus();
}

absl::Status QuantizeEnd(const PlannedUnit& planned, const EndUnit& end, const Model& model, const EndFiles& files,
                         RoundingOptions rounding, TaskIo& io, std::vector<PackedUnitsWriter>& writers) {
  rounding.storage_type = planned.type;
  rounding.on_grids = planned.AnyOnGrid();
  ABSL_ASSIGN_OR_RETURN(const InputStatistics moment, EndMoment(end, files, model.config()));
  ABSL_ASSIGN_OR_RETURN(const UnitRounder rounder, UnitRounder::Create(moment, rounding, io.device()));
  for (const Format& format : planned.FormatsOf(0)) {
    ABSL_RETURN_IF_ERROR(RoundEnd(planned, end, model, rounder, format, io, writers));
  }
  return absl::OkStatus();
}

absl::Status QuantizeBlocks(const v1::QuantizeParams& params, const Model& model, const std::vector<PlannedUnit>& units,
                            TaskIo& io, std::vector<PackedUnitsWriter>& writers) {
  ABSL_ASSIGN_OR_RETURN(const std::string statistics_path, io.InputPath(TaskFile::kStatistics));
  ABSL_ASSIGN_OR_RETURN(const StatisticsFile statistics, StatisticsFile::Open(statistics_path));
  for (size_t u = 0; u < units.size(); ++u) {
    ABSL_RETURN_IF_ERROR(QuantizeUnit(units[u], model, statistics, RoundingOf(params.rounding()), io, writers));
    io.Progress(static_cast<double>(u + 1) / static_cast<double>(units.size()));
  }
  return absl::OkStatus();
}

absl::Status QuantizeEnds(const v1::QuantizeParams& params, const Model& model, const std::vector<PlannedUnit>& units,
                          TaskIo& io, std::vector<PackedUnitsWriter>& writers) {
  ABSL_ASSIGN_OR_RETURN(const auto paths, io.InputPaths(NumberedPrefix(TaskFile::kEnds)));
  ABSL_ASSIGN_OR_RETURN(const EndFiles files, EndFiles::Open(paths));
  const std::vector<EndUnit> ends = EndUnits(model);
  for (size_t u = 0; u < units.size(); ++u) {
    ABSL_RETURN_IF_ERROR(QuantizeEnd(units[u], ends[u], model, files, RoundingOf(params.rounding()), io, writers));
    io.Progress(static_cast<double>(u + 1) / static_cast<double>(units.size()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunQuantize(const v1::QuantizeParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  ABSL_ASSIGN_OR_RETURN(const std::vector<PlannedUnit> units, UnitsOf(params, model));
  std::vector<PackedUnitsWriter> writers;
  for (int plan = 0; plan < params.units(0).formats_size(); ++plan) {
    std::vector<PackedUnit> own;
    own.reserve(units.size());
    for (const PlannedUnit& unit : units) own.push_back(unit.In(static_cast<size_t>(plan)));
    ABSL_ASSIGN_OR_RETURN(PackedUnitsWriter writer,
                          PackedUnitsWriter::Create(io.NewOutput(Numbered(TaskFile::kWeights, plan)), own));
    writers.push_back(std::move(writer));
  }
  ABSL_RETURN_IF_ERROR(params.ends() ? QuantizeEnds(params, model, units, io, writers)
                                     : QuantizeBlocks(params, model, units, io, writers));
  for (PackedUnitsWriter& writer : writers) ABSL_RETURN_IF_ERROR(writer.Close());
  return absl::OkStatus();
}

}  // namespace bitwright::worker
