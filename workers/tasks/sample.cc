#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "proto/inputs/model_folder.h"
#include "workers/model/block_runner.h"
#include "workers/model/output_head.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/model_tokenizer.h"
#include "workers/tasks/plan_weights.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

using Ids = std::vector<int32_t>;

// What is read first, and what may follow: whatever it is, the result is the same, but the nearer the fewer passes.
struct Beginning {
  Ids prompt, draft;
};

bool HasTokenizer(const ModelFiles& files) {
  return std::ranges::any_of(kTokenizerFiles, [&](std::string_view name) { return files.contains(std::string(name)); });
}

// Of the text: its first ids, and those behind them.
absl::StatusOr<Beginning> FromText(const v1::SampleParams& params, int64_t vocab, const TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(TaskFile::kIds));
  const int64_t all = static_cast<int64_t>(file->bytes().size() / sizeof(int32_t));
  const int64_t prompt = params.prompt_tokens(), end = std::min<int64_t>(prompt + params.tokens(), all);
  if (prompt > all || file->bytes().size() % sizeof(int32_t) != 0) {
    return TaskInputDamagedError(TaskFile::kIds, "has " + std::to_string(file->bytes().size()) + " bytes, not " +
                                                     std::to_string(prompt) + " ids or more");
  }
  ABSL_ASSIGN_OR_RETURN(const Ids ids, io.IdRows(TaskFile::kIds, 0, 1, 1, end, vocab));
  return Beginning{Ids(ids.begin(), ids.begin() + prompt), Ids(ids.begin() + prompt, ids.end())};
}

absl::StatusOr<Beginning> FromPrompt(const v1::SampleParams& params, int64_t vocab, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
  ABSL_ASSIGN_OR_RETURN(Ids ids, tokenizer->Encode(params.prompt(), /*add_special_tokens=*/true));
  if (ids.empty()) return DataInvalidError("gives no token as a prompt; give another --sample");
  ABSL_RETURN_IF_ERROR(CheckIds(ids, vocab));
  const size_t most = static_cast<size_t>(params.prompt_tokens());
  if (params.prompt_tokens() > 0 && ids.size() > most) ids.erase(ids.begin(), ids.end() - params.prompt_tokens());
  return Beginning{std::move(ids), {}};
}

// Of each row the index of its largest element, the first of equals. x [rows, hidden] after the final norm.
Ids MostLikely(const BlockRunner& runner, const OutputHead& head, const Matrix& x) {
  const int64_t most = head.RowsAtATime(x.rows);
  const DeviceMatrix logits(runner.device(), DType::kF32, most, head.vocab());
  std::vector<float> row(static_cast<size_t>(head.vocab()));
  Ids ids;
  for (int64_t first = 0; first < x.rows; first += most) {
    const int64_t count = std::min(most, x.rows - first);
    head.Logits(x.Rows(first, count), logits.view().Rows(0, count));
    for (int64_t r = 0; r < count; ++r) {
      runner.device().Read(logits.view().Rows(r, 1), row);
      ids.push_back(static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
    }
  }
  return ids;
}

// Writes `tokens` ids behind the prompt. Each pass over the whole window says what follows every place; those places
// whose predecessors are settled are settled by it (Jacobi decoding: Santilli et al., "Accelerating Transformer
// Inference for Translation via Parallel Decoding", 2023). So the result is that of one token a pass, in at most as
// many passes.
absl::StatusOr<Ids> Continue(const Beginning& beginning, int tokens, const PlanWeights& weights, BlockRunner& runner,
                             const TaskIo& io) {
  const size_t prompt = beginning.prompt.size(), all = prompt + static_cast<size_t>(tokens);
  Ids ids = beginning.prompt;
  ids.insert(ids.end(), beginning.draft.begin(), beginning.draft.end());
  ids.resize(all);
  for (size_t settled = prompt; settled < all;) {
    const DeviceMatrix x = runner.Embed(ids, weights.embedding());
    ABSL_RETURN_IF_ERROR(runner.RunBlocks(0, runner.model().config().layers, x.view(), weights.units()));
    runner.model().FinalNorm(runner.device(), x.view());
    const OutputHead head(runner, kMostHeadBytes, weights.head());  // not beside a block
    const Ids next =
        MostLikely(runner, head, x.view().Rows(static_cast<int64_t>(settled) - 1, static_cast<int64_t>(all - settled)));
    const auto guess = ids.begin() + static_cast<std::ptrdiff_t>(settled);
    const auto wrong = std::mismatch(next.begin(), next.end(), guess).first - next.begin();
    std::copy(next.begin(), next.end(), guess);
    settled = std::min(all, settled + static_cast<size_t>(wrong) + 1);
    io.Progress(static_cast<double>(settled - prompt) / tokens);
  }
  return Ids(ids.begin() + static_cast<std::ptrdiff_t>(prompt), ids.end());
}

// Ids that the tokenizer does not know leave a text empty: a vocabulary may be padded.
std::string TextOf(const Tokenizer& tokenizer, const Ids& ids) {
  return tokenizer.Decode(ids, /*skip_special_tokens=*/false).value_or(std::string());
}

}  // namespace

absl::Status RunSample(const v1::SampleParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const Model model, io.OpenModel());
  const int64_t vocab = model.config().vocab;
  ABSL_ASSIGN_OR_RETURN(Beginning beginning,
                        params.prompt().empty() ? FromText(params, vocab, io) : FromPrompt(params, vocab, io));
  if (!io.InputNames(TaskFile::kSample).empty()) {
    v1::Continuation base;
    ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kSample, base));
    beginning.draft.assign(base.ids().begin(), base.ids().end());
    ABSL_RETURN_IF_ERROR(CheckIds(beginning.draft, vocab));
  }
  ABSL_ASSIGN_OR_RETURN(const auto weights, PlanWeights::Open(params.quantized(), model, io));
  BlockRunner runner(model, static_cast<int64_t>(beginning.prompt.size()) + params.tokens(),
                     ComputeOf(params.compute()), io.device());
  ABSL_ASSIGN_OR_RETURN(const Ids ids, Continue(beginning, params.tokens(), *weights, runner, io));
  v1::Continuation continuation;
  continuation.mutable_prompt()->Add(beginning.prompt.begin(), beginning.prompt.end());
  continuation.mutable_ids()->Add(ids.begin(), ids.end());
  if (HasTokenizer(io.Files())) {
    ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
    continuation.set_prompt_text(TextOf(*tokenizer, beginning.prompt));
    continuation.set_text(TextOf(*tokenizer, ids));
  }
  return io.WriteProto(TaskFile::kSample, continuation);
}

}  // namespace bitwright::worker
