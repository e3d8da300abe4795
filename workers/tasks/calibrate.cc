#include "workers/calibrate/calibrate.h"

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/calibrate/statistics_file.h"
#include "workers/tasks/kinds.h"

namespace bitwright::worker {

absl::Status RunCalibrate(const v1::CalibrateParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const int64_t begin = params.windows().begin(), end = params.windows().end();
  const int64_t windows = end - begin;
  BlockRunner runner(model, params.window(), ComputeOf(params.compute()), io.device());
  DeviceMatrix x;
  if (params.blocks().begin() == 0) {
    ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                          io.IdRows(TaskFile::kIds, begin, end, 1, params.window(), model.config().vocab));
    x = runner.Embed(ids);
  } else {
    ABSL_ASSIGN_OR_RETURN(x, io.FloatRows(TaskFile::kActivations, windows * params.window(), model.config().hidden));
  }
  ABSL_ASSIGN_OR_RETURN(const std::vector<UnitStatistics> statistics,
                        Calibrate(runner, params.blocks().begin(), params.blocks().end(), x.view(),
                                  [&](double share) { io.Progress(share); }));
  ABSL_RETURN_IF_ERROR(WriteStatistics(io.NewOutput(TaskFile::kStatistics), statistics));
  if (params.last()) return absl::OkStatus();
  return io.WriteFloats(TaskFile::kActivations, x.view());
}

}  // namespace bitwright::worker
