#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/model/block_runner.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/plan_weights.h"
#include "workers/tasks/token_file.h"

namespace bitwright::worker {
absl::Status RunEvaluate(const v1::EvaluateParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const Compute compute = ComputeOf(params.compute());
  const int64_t begin = params.windows().begin(), end = params.windows().end(), window = params.window();
  const int64_t windows = end - begin;
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, 1, window, model.config().vocab));
  ABSL_ASSIGN_OR_RETURN(const DeviceMatrix reference,
                        io.FloatRows(TaskFile::kHidden, windows * window, model.config().hidden));
  ABSL_ASSIGN_OR_RETURN(const auto weights, PlanWeights::Open(/*quantized=*/true, model, io));
  BlockRunner runner(model, window, compute, io.device());
  const DeviceMatrix x = runner.Embed(ids, weights->embedding());
  const int64_t layers = model.config().layers;
  ABSL_RETURN_IF_ERROR(runner.RunBlocks(0, layers, x.view(), weights->units(), [&](int64_t passed) {
    io.Progress(static_cast<double>(passed) / static_cast<double>(layers + 1));
  }));
  model.FinalNorm(io.device(), x.view());
  HeadComparison head(runner, kMostHeadBytes, weights->head());
  const Matrix variants[] = {x.view()};
  const std::vector<TokenStats> stats = head.Compare(reference.view(), variants, ids);
  return WriteTokenStats(io.NewOutput(TaskFile::kTokens), stats.front());
}

}  // namespace bitwright::worker
