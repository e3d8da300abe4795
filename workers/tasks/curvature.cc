#include "workers/sensitivity/curvature.h"

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/sensitivity/curvature_file.h"
#include "workers/tasks/kinds.h"

namespace bitwright::worker {

absl::Status RunCurvature(const v1::CurvatureParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const int64_t begin = params.windows().begin(), end = params.windows().end(), window = params.window();
  const int64_t tokens = (end - begin) * window, hidden = model.config().hidden;
  BlockRunner runner(model, window, Compute::kF32, io.device());
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, params.stride(), window, model.config().vocab));
  GradientOptions options;
  options.begin = params.blocks().begin();
  options.end = params.blocks().end();
  options.first_position = static_cast<uint64_t>(begin * window);
  const bool first = options.begin == 0, last = options.end == model.config().layers;
  if (!first) {
    ABSL_ASSIGN_OR_RETURN(options.entering, io.FloatRows(TaskFile::kActivations, tokens, hidden));
  }
  if (!last) {
    ABSL_ASSIGN_OR_RETURN(options.leaving, io.FloatRows(TaskFile::kGradients, tokens, hidden));
  }
  ABSL_ASSIGN_OR_RETURN(const CurvatureResult result,
                        RunCurvature(runner, ids, std::move(options), [&](double share) { io.Progress(share); }));
  ABSL_RETURN_IF_ERROR(WriteCurvature(io.NewOutput(TaskFile::kCurvature), result.units, tokens));
  if (first || last) ABSL_RETURN_IF_ERROR(WriteEnds(io.NewOutput(TaskFile::kEnds), result.ends, tokens));
  if (first) return absl::OkStatus();
  return io.WriteFloats(TaskFile::kGradients, result.entering.view());
}

}  // namespace bitwright::worker
