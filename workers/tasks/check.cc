#include "workers/sensitivity/check.h"

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/targets/format_messages.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

// Where the named units are. TASK_SPEC_INVALID unless all are among the blocks, in their order.
absl::StatusOr<std::vector<CheckedUnit>> FindUnits(const v1::CheckParams& params, const Model& model) {
  std::vector<CheckedUnit> found;
  for (int64_t b = params.blocks().begin(); b < params.blocks().end(); ++b) {
    const std::vector<UnitSpec> units = model.config().block(b).units;
    for (size_t u = 0; u < units.size(); ++u) {
      const int next = static_cast<int>(found.size());
      if (next < params.units_size() && params.units(next) == units[u].name) found.push_back({b, u});
    }
  }
  const int next = static_cast<int>(found.size());
  if (next == params.units_size()) return found;
  return TaskSpecInvalidError("units", params.units(next), "units of the blocks, each once, in their order");
}

}  // namespace

absl::Status RunCheck(const v1::CheckParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  ABSL_ASSIGN_OR_RETURN(const std::vector<CheckedUnit> units, FindUnits(params, model));
  ABSL_ASSIGN_OR_RETURN(const std::string statistics_path, io.InputPath(TaskFile::kStatistics));
  ABSL_ASSIGN_OR_RETURN(const StatisticsFile statistics, StatisticsFile::Open(statistics_path));
  ABSL_ASSIGN_OR_RETURN(const auto curvature_paths, io.InputPaths(NumberedPrefix(TaskFile::kCurvature)));
  ABSL_ASSIGN_OR_RETURN(const CurvatureFiles curvature, CurvatureFiles::Open(curvature_paths));
  const int64_t begin = params.windows().begin(), end = params.windows().end(), window = params.window();
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, params.stride(), window, model.config().vocab));
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix reference,
                        io.FloatRows(TaskFile::kHidden, (end - begin) * window, model.config().hidden));
  BlockRunner runner(model, window, Compute::kF32, io.device());
  const int64_t first = params.blocks().begin();
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix entering,
                        io.EnteringStream(runner, params.windows(), params.stride(), first));
  const CheckData data{ids, entering.view(), reference.view()};
  ABSL_ASSIGN_OR_RETURN(const std::vector<UnitCheck> measured,
                        CheckUnits(runner, {statistics, curvature}, first, units, data, CheckOptionsOf(params.recipe()),
                                   [&](double share) { io.Progress(share); }));
  v1::Checks checks;
  for (const UnitCheck& from : measured) {
    v1::Checks::Unit& to = *checks.add_units();
    to.set_name(from.unit);
    for (const UnitCheck::Measurement& measurement : from.measurements) {
      v1::Checks::Measurement& m = *to.add_measurements();
      *m.mutable_format() = ToProto(measurement.format);
      m.set_kl(measurement.kl.value);
      m.set_kl_standard_error(measurement.kl.standard_error);
      m.set_predicted(measurement.predicted);
    }
  }
  return io.WriteProto(TaskFile::kChecks, checks);
}

}  // namespace bitwright::worker
