#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/model/block_runner.h"
#include "workers/tasks/kinds.h"

namespace bitwright::worker {

absl::Status RunReference(const v1::ReferenceParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  BlockRunner runner(model, params.window(), ComputeOf(params.compute()), io.device());
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix x,
                        io.EnteringStream(runner, params.windows(), params.stride(), params.blocks().begin()));
  const int64_t begin = params.blocks().begin(), end = params.blocks().end();
  ABSL_RETURN_IF_ERROR(runner.RunBlocks(begin, end, x.view(), nullptr, [&](int64_t passed) {
    io.Progress(static_cast<double>(passed) / static_cast<double>(end - begin));
  }));
  if (end < model.config().layers) return io.WriteFloats(TaskFile::kActivations, x.view());
  model.FinalNorm(io.device(), x.view());
  return io.WriteFloats(TaskFile::kHidden, x.view());
}

}  // namespace bitwright::worker
