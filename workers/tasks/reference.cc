#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/model/window_runner.h"
#include "workers/tasks/kinds.h"

namespace bitwright::worker {

// Final hidden states of the unquantized model.
absl::Status RunReference(const v1::ReferenceParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const int64_t begin = params.windows().begin(), end = params.windows().end();
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, params.stride(), params.window(), model.config().vocab));
  WindowRunner runner(model, params.window(), ComputeOf(params.compute()), io.pool());
  const int64_t windows = end - begin;
  Buffer<float> x(windows * runner.WindowElements());
  runner.Embed(ids, x.data());
  for (int64_t b = 0; b < model.config().layers; ++b) {
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, model.LoadBlock(b, ComputeOf(params.compute()), io.pool()));
    runner.RunBlock(block, windows, x.data());
    io.Progress(static_cast<double>(b + 1) / static_cast<double>(model.config().layers));
  }
  runner.FinalNorm(windows, x.data());
  return io.WriteBytes(TaskFile::kHidden, x.data(), static_cast<size_t>(x.size()) * sizeof(float));
}

}  // namespace bitwright::worker
