#include "workers/calibrate/calibrate.h"

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/quantize/factor_file.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/recipe_options.h"

namespace bitwright::worker {

absl::Status RunCalibrate(const v1::CalibrateParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  BlockRunner runner(model, params.window(), ComputeOf(params.compute()), io.device());
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix x, io.EnteringStream(runner, params.windows(), 1, params.blocks().begin()));
  const int64_t begin = params.blocks().begin(), end = params.blocks().end();
  ABSL_ASSIGN_OR_RETURN(
      RoundingInputsWriter writer,
      RoundingInputsWriter::Create(io.NewOutput(TaskFile::kStatistics), CalibratedInputs(model.config(), begin, end),
                                   FactoringOf(params), io.device()));
  ABSL_RETURN_IF_ERROR(Calibrate(
      runner, begin, end, x.view(), [&](UnitStatistics unit) { return writer.Append(std::move(unit.input)); },
      [&](double share) { io.Progress(share); }));
  ABSL_RETURN_IF_ERROR(writer.Close());
  if (params.last()) return absl::OkStatus();
  return io.WriteFloats(TaskFile::kActivations, x.view());
}

}  // namespace bitwright::worker
