#include <utility>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/targets/target.h"
#include "workers/tasks/candidate_check.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/measured_tokens.h"

namespace bitwright::worker {
namespace {

// Lowest mean KL divergence; on a tie the fewer bytes, then the earlier one. −1: none.
template <typename Wanted>
int Best(const v1::Choice& choice, const v1::Allocation& allocation, const Wanted& wanted) {
  const auto key = [&](int i) {
    return std::pair(choice.trials(i).kl_divergence(), allocation.candidates(i).weight_bytes());
  };
  int best = -1;
  for (int i = 0; i < choice.trials_size(); ++i) {
    if (wanted(choice.trials(i)) && (best < 0 || key(i) < key(best))) best = i;
  }
  return best;
}

}  // namespace

absl::Status RunChoose(const v1::ChooseParams& params, TaskIo& io) {
  v1::ModelInfo info;
  v1::Allocation allocation;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kInfo, info));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kAllocation, allocation));
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  v1::Choice choice;
  for (int c = 0; c < params.candidates(); ++c) {
    ABSL_RETURN_IF_ERROR(CheckCandidate(allocation, c, info, *target));
    const std::string input = Numbered(TaskFile::kTokens, c);
    ABSL_ASSIGN_OR_RETURN(const TokenStats tokens, ReadTokens(io, {&input, 1}));
    ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary, SummarizeTokens(tokens, params.window()));
    const v1::Plan& plan = allocation.candidates(c);
    choice.set_scored_tokens(summary.tokens);
    v1::Trial& trial = *choice.add_trials();
    trial.set_name(plan.name());
    trial.set_kind(plan.kind());
    trial.set_predicted_loss(plan.predicted_loss());
    trial.set_kl_divergence(summary.kl.mean.value);
    trial.set_kl_standard_error(summary.kl.mean.standard_error);
  }
  choice.set_selected(Best(choice, allocation, [](const v1::Trial&) { return true; }));
  choice.set_best_uniform(
      Best(choice, allocation, [](const v1::Trial& trial) { return trial.kind() == v1::PLAN_KIND_UNIFORM; }));
  return io.WriteProto(TaskFile::kChoice, choice);
}

}  // namespace bitwright::worker
