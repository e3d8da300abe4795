#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/model/block_runner.h"
#include "workers/tasks/kinds.h"

namespace bitwright::worker {

// Final hidden states of the unquantized model.
absl::Status RunReference(const v1::ReferenceParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const int64_t begin = params.windows().begin(), end = params.windows().end();
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, params.stride(), params.window(), model.config().vocab));
  BlockRunner runner(model, params.window(), ComputeOf(params.compute()), io.device());
  const DeviceMatrix x = runner.Embed(ids);
  const int64_t layers = model.config().layers;
  ABSL_RETURN_IF_ERROR(runner.RunBlocks(0, layers, x.view(), nullptr, [&](int64_t passed) {
    io.Progress(static_cast<double>(passed) / static_cast<double>(layers));
  }));
  model.FinalNorm(io.device(), x.view());
  return io.WriteFloats(TaskFile::kHidden, x.view());
}

}  // namespace bitwright::worker
