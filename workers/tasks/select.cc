#include <algorithm>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/budget_kind.h"
#include "proto/contract/task_names.h"
#include "workers/targets/artifact.h"
#include "workers/tasks/candidate_check.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/measured_tokens.h"
#include "workers/tasks/measurements.h"
#include "workers/tasks/target_model.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {
namespace {

bool WithinBudget(const v1::Budget& budget, const v1::Candidate& candidate) {
  return budget.kind_case() != v1::Budget::kArtifactBytes || candidate.artifact_bytes() <= budget.artifact_bytes();
}

// Lowest mean KL divergence within the budget; on a tie the fewer bytes, then the earlier one. −1: none.
template <typename Wanted>
int Best(const v1::Selection& selection, const v1::Budget& budget, const Wanted& wanted) {
  int best = -1;
  for (int i = 0; i < selection.candidates_size(); ++i) {
    const v1::Candidate& candidate = selection.candidates(i);
    if (!wanted(candidate) || !WithinBudget(budget, candidate)) continue;
    const auto key = [](const v1::Candidate& c) { return std::pair(c.kl_divergence().mean(), c.weight_bytes()); };
    if (best < 0 || key(candidate) < key(selection.candidates(best))) best = i;
  }
  return best;
}

// Where a plan of the allocation is among the candidates. −1: it is none of them.
int PositionOf(int plan, const v1::Selection& selection) {
  for (int i = 0; i < selection.candidates_size(); ++i) {
    if (selection.candidates(i).plan() == plan) return i;
  }
  return -1;
}

// Reads the choice, where there is one, into the selection.
absl::Status ReadChoice(const v1::SelectParams& params, const TaskIo& io, v1::Selection& selection) {
  if (io.InputNames(TaskFile::kChoice).empty()) return absl::OkStatus();
  v1::Choice& choice = *selection.mutable_choice();
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kChoice, choice));
  const auto measured = [&](int plan) {
    return plan < choice.trials_size() &&
           std::find(params.plans().begin(), params.plans().end(), plan) != params.plans().end();
  };
  if (measured(choice.selected()) && (choice.best_uniform() < 0 || measured(choice.best_uniform()))) {
    return absl::OkStatus();
  }
  return TaskInputDamagedError(TaskFile::kChoice, "chooses a plan that was not measured");
}

// Under a bound of quality the plan that was found, and the best uniform one of no more bytes.
absl::Status SelectSmallest(int plan, v1::Selection& selection) {
  const int position = PositionOf(plan, selection);
  if (position < 0) return TaskInputDamagedError(TaskFile::kAllocation, "has a smallest plan that was not measured");
  const int64_t bytes = selection.candidates(position).weight_bytes();
  selection.set_selected(position);
  selection.set_best_uniform(Best(selection, {}, [&](const v1::Candidate& c) {
    return c.kind() == v1::PLAN_KIND_UNIFORM && c.weight_bytes() <= bytes;
  }));
  return absl::OkStatus();
}

// What the choice says, else the best of those that were measured.
absl::Status Select(const v1::Budget& budget, v1::Selection& selection) {
  selection.set_best_uniform(
      Best(selection, budget, [](const v1::Candidate& c) { return c.kind() == v1::PLAN_KIND_UNIFORM; }));
  int best = Best(selection, budget, [](const v1::Candidate&) { return true; });
  if (best < 0) return BudgetExceededError(budget.artifact_bytes());
  if (selection.has_choice()) {
    if (selection.choice().best_uniform() >= 0) {
      selection.set_best_uniform(PositionOf(selection.choice().best_uniform(), selection));
    }
    const int chosen = PositionOf(selection.choice().selected(), selection);
    if (WithinBudget(budget, selection.candidates(chosen))) best = chosen;
  }
  selection.set_selected(best);
  return absl::OkStatus();
}

// The tokens of one plan: of each evaluation text, in order.
absl::StatusOr<std::vector<TokenStats>> TokensOf(const v1::SelectParams& params, int candidate, const TaskIo& io) {
  std::vector<int> shards(params.text_shards().begin(), params.text_shards().end());
  if (shards.empty()) shards = {params.shards()};
  std::vector<TokenStats> texts;
  int next = 0;
  for (const int count : shards) {
    std::vector<std::string> inputs;
    for (const int end = next + count; next < end; ++next) {
      inputs.push_back(Numbered(TaskFile::kTokens, candidate, next));
    }
    ABSL_ASSIGN_OR_RETURN(texts.emplace_back(), ReadTokens(io, inputs));
  }
  return texts;
}

// Of each text, then of all together: what was measured of the plan, and of the unquantized model.
absl::Status Measure(const v1::SelectParams& params, int index, const TaskIo& io, v1::Selection& selection,
                     v1::Candidate& candidate) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<TokenStats> texts, TokensOf(params, index, io));
  TokenStats all;
  selection.clear_texts();
  for (const TokenStats& text : texts) {
    ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary, SummarizeTokens(text, params.card().window()));
    v1::EvaluatedText& evaluated = *selection.add_texts();
    *evaluated.mutable_reference() = TokenLossOf(summary.base);
    evaluated.set_scored_tokens(summary.tokens);
    *candidate.add_texts() = TextMeasurementOf(summary);
    all.Append(text);
  }
  ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary, SummarizeTokens(all, params.card().window()));
  *selection.mutable_reference() = TokenLossOf(summary.base);
  selection.set_scored_tokens(summary.tokens);
  FillMeasurements(summary, candidate);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunSelect(const v1::SelectParams& params, TaskIo& io) {
  v1::ModelInfo info;
  v1::Allocation allocation;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kInfo, info));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kAllocation, allocation));
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  ABSL_ASSIGN_OR_RETURN(const v1::TargetInfo* stored, TargetInfoOf(info, *target));
  ABSL_ASSIGN_OR_RETURN(const TargetModel model, ReadTargetModel(io.Files(), info, params.card().model()));
  v1::Selection selection;
  ABSL_RETURN_IF_ERROR(ReadChoice(params, io, selection));
  for (int c = 0; c < params.plans_size(); ++c) {
    ABSL_RETURN_IF_ERROR(CheckCandidate(allocation, params.plans(c), info, *target));
    const v1::Plan& plan = allocation.candidates(params.plans(c));
    v1::Candidate& candidate = *selection.add_candidates();
    candidate.set_name(plan.name());
    candidate.set_kind(plan.kind());
    candidate.set_plan(params.plans(c));
    candidate.set_average_bits(plan.average_bits());
    candidate.set_weight_bytes(plan.weight_bytes());
    candidate.set_predicted_loss(plan.predicted_loss());
    ABSL_RETURN_IF_ERROR(Measure(params, c, io, selection, candidate));
    ABSL_ASSIGN_OR_RETURN(const SizeParts size,
                          ArtifactSize(*target, model, *stored, plan, {candidate, selection, params.card()}));
    candidate.set_artifact_bytes(size.total());
    *candidate.mutable_size() = size.ToProto();
    io.Progress(static_cast<double>(c + 1) / params.plans_size());
  }
  ABSL_RETURN_IF_ERROR(IsBound(params.budget()) ? SelectSmallest(params.smallest(), selection)
                                                : Select(params.budget(), selection));
  return io.WriteProto(TaskFile::kSelection, selection);
}

}  // namespace bitwright::worker
