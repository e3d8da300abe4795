#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/model/window_runner.h"
#include "workers/quantize/packed_unit.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/token_file.h"

namespace bitwright::worker {

absl::Status RunEvaluate(const v1::EvaluateParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const Compute compute = ComputeOf(params.compute());
  const int64_t begin = params.windows().begin(), end = params.windows().end(), window = params.window();
  const int64_t windows = end - begin;
  ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                        io.IdRows(TaskFile::kIds, begin, end, 1, window, model.config().vocab));
  ABSL_ASSIGN_OR_RETURN(const Buffer<float> reference,
                        io.FloatRows(TaskFile::kHidden, 0, windows * window, model.config().hidden));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> paths, io.InputPaths(NumberedPrefix(TaskFile::kWeights)));
  ABSL_ASSIGN_OR_RETURN(const PackedUnits weights, PackedUnits::Open(paths));
  const UnitSource source = [&](const UnitSpec& unit, float* weight) {
    return weights.Dequantize(unit, io.pool(), weight);
  };

  WindowRunner runner(model, window, compute, io.pool());
  Buffer<float> x(windows * runner.WindowElements());
  runner.Embed(ids, x.data());
  for (int64_t b = 0; b < model.config().layers; ++b) {
    ABSL_ASSIGN_OR_RETURN(const BlockWeights block, model.LoadBlock(b, compute, io.pool(), source));
    runner.RunBlock(block, windows, x.data());
    io.Progress(static_cast<double>(b + 1) / static_cast<double>(model.config().layers + 1));
  }
  runner.FinalNorm(windows, x.data());
  const HeadComparison head(model, compute, io.pool());
  const float* variants[] = {x.data()};
  const std::vector<TokenStats> stats = head.Compare(windows, window, reference.data(), variants, ids);
  return WriteTokenStats(io.NewOutput(TaskFile::kTokens), stats.front());
}

}  // namespace bitwright::worker
