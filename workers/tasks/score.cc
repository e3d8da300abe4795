#include <algorithm>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/model/block_runner.h"
#include "workers/model/output_head.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/plan_weights.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

using Sequences = google::protobuf::RepeatedPtrField<v1::QuestionSet::Sequence>;

// The sequences of a task, padded: what is read at each place, what is to be predicted there, and whether that counts.
struct Rows {
  std::vector<int32_t> ids, targets;
  std::vector<uint8_t> counts;
};

absl::StatusOr<Rows> Pad(const Sequences& sequences, const v1::ScoreParams& params, int64_t vocab) {
  const size_t window = static_cast<size_t>(params.window());
  const int begin = params.sequences().begin(), end = params.sequences().end();
  if (end > sequences.size()) {
    return TaskInputDamagedError(TaskFile::kQuestions, "has no sequence " + std::to_string(end - 1));
  }
  const size_t places = static_cast<size_t>(end - begin) * window;
  Rows rows{std::vector<int32_t>(places), std::vector<int32_t>(places), std::vector<uint8_t>(places)};
  size_t row = 0;
  for (int s = begin; s < end; ++s, row += window) {
    const auto& ids = sequences[s].ids();
    const size_t size = static_cast<size_t>(ids.size()), scored = static_cast<size_t>(sequences[s].scored());
    if (size < 2 || size - 1 > window || sequences[s].scored() < 1 || scored >= size) {
      return TaskInputDamagedError(
          TaskFile::kQuestions,
          "has a sequence " + std::to_string(s) + " that does not fit a window of " + std::to_string(window));
    }
    ABSL_RETURN_IF_ERROR(CheckIds(std::vector<int32_t>(ids.begin(), ids.end()), vocab));
    std::copy(ids.begin(), ids.end() - 1, rows.ids.begin() + static_cast<std::ptrdiff_t>(row));
    std::copy(ids.begin() + 1, ids.end(), rows.targets.begin() + static_cast<std::ptrdiff_t>(row));
    for (size_t p = size - 1 - scored; p < size - 1; ++p) rows.counts[row + p] = 1;
  }
  return rows;
}

// Σ over each window of the log probabilities that count. x [places, hidden] after the final norm.
std::vector<double> LogLikelihoods(const BlockRunner& runner, const OutputHead& head, const Matrix& x,
                                   const Rows& rows) {
  const int64_t window = runner.window(), most = head.RowsAtATime(x.rows);
  const DeviceMatrix logits(runner.device(), DType::kF32, most, head.vocab());
  std::vector<double> sums(static_cast<size_t>(x.rows / window));
  std::vector<TokenComparison> tokens(static_cast<size_t>(most));
  for (int64_t first = 0; first < x.rows; first += most) {
    const int64_t count = std::min(most, x.rows - first);
    const Matrix part = logits.view().Rows(0, count);
    head.Logits(x.Rows(first, count), part);
    const auto own = std::span(tokens).first(static_cast<size_t>(count));
    runner.device().Compare(
        part, part, std::span(rows.targets).subspan(static_cast<size_t>(first), static_cast<size_t>(count)), own);
    for (int64_t r = 0; r < count; ++r) {
      if (rows.counts[static_cast<size_t>(first + r)] == 0) continue;
      sums[static_cast<size_t>((first + r) / window)] -= own[static_cast<size_t>(r)].nll_base;
    }
  }
  return sums;
}

}  // namespace

absl::Status RunScore(const v1::ScoreParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  v1::QuestionSet set;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kQuestions, set));
  ABSL_ASSIGN_OR_RETURN(const Rows rows, Pad(set.sequences(), params, model.config().vocab));
  ABSL_ASSIGN_OR_RETURN(const auto weights, PlanWeights::Open(params.quantized(), model, io));
  BlockRunner runner(model, params.window(), ComputeOf(params.compute()), io.device());
  const DeviceMatrix x = runner.Embed(rows.ids, weights->embedding());
  const int64_t layers = model.config().layers;
  ABSL_RETURN_IF_ERROR(runner.RunBlocks(0, layers, x.view(), weights->units(), [&](int64_t passed) {
    io.Progress(static_cast<double>(passed) / static_cast<double>(layers + 1));
  }));
  model.FinalNorm(io.device(), x.view());
  const OutputHead head(runner, kMostHeadBytes, weights->head());
  const std::vector<double> sums = LogLikelihoods(runner, head, x.view(), rows);
  return io.WriteBytes(TaskFile::kScores, sums.data(), sums.size() * sizeof(double));
}

}  // namespace bitwright::worker
