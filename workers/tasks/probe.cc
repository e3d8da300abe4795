#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/reports.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/targets/target.h"
#include "workers/tasks/candidate_check.h"
#include "workers/tasks/kinds.h"
#include "workers/tasks/measured_tokens.h"

namespace bitwright::worker {

absl::Status RunProbe(const v1::ProbeParams& params, TaskIo& io) {
  v1::ModelInfo info;
  v1::Allocation allocation;
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kInfo, info));
  ABSL_RETURN_IF_ERROR(io.ReadProto(TaskFile::kAllocation, allocation));
  ABSL_ASSIGN_OR_RETURN(const Target* target, FindTarget(params.target()));
  ABSL_RETURN_IF_ERROR(CheckCandidate(allocation, params.plan(), info, *target));
  const std::vector<std::string> inputs = io.InputNames(NumberedPrefix(TaskFile::kTokens));
  ABSL_ASSIGN_OR_RETURN(const TokenStats tokens, ReadTokens(io, inputs));
  ABSL_ASSIGN_OR_RETURN(const EvaluationSummary summary, SummarizeTokens(tokens, params.window()));
  v1::Probe probe;
  probe.set_plan(params.plan());
  probe.set_kl_divergence(summary.kl.mean.value);
  probe.set_kl_standard_error(summary.kl.mean.standard_error);
  probe.set_perplexity_ratio(summary.perplexity_ratio.value);
  return io.WriteProto(TaskFile::kProbe, probe);
}

}  // namespace bitwright::worker
