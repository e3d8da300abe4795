#include "workers/calibrate/calibrate.h"

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/tasks/kinds.h"

namespace bitwright::worker {

absl::Status RunCalibrate(const v1::CalibrateParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  BlockRunner runner(model, params.window(), ComputeOf(params.compute()), io.device());
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix x, io.EnteringStream(runner, params.windows(), 1, params.blocks().begin()));
  ABSL_ASSIGN_OR_RETURN(const std::vector<UnitStatistics> statistics,
                        Calibrate(runner, params.blocks().begin(), params.blocks().end(), x.view(),
                                  [&](double share) { io.Progress(share); }));
  ABSL_RETURN_IF_ERROR(WriteStatistics(io.NewOutput(TaskFile::kStatistics), statistics));
  if (params.last()) return absl::OkStatus();
  return io.WriteFloats(TaskFile::kActivations, x.view());
}

}  // namespace bitwright::worker
