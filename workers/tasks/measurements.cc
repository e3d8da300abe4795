#include "workers/tasks/measurements.h"

namespace bitwright::worker {

void FillMeasurements(const EvaluationSummary& summary, v1::Candidate& candidate) {
  auto& kl = *candidate.mutable_kl_divergence();
  kl.set_mean(summary.kl.mean.value);
  kl.set_standard_error(summary.kl.mean.standard_error);
  kl.set_median(summary.kl.median);
  kl.set_p99(summary.kl.p99);
  kl.set_max(summary.kl.max);
  candidate.set_perplexity(summary.quantized.perplexity.value);
  candidate.set_perplexity_standard_error(summary.quantized.perplexity.standard_error);
  candidate.set_mean_nll(summary.quantized.mean_nll.value);
  candidate.set_mean_nll_standard_error(summary.quantized.mean_nll.standard_error);
  candidate.set_perplexity_ratio(summary.perplexity_ratio.value);
  candidate.set_perplexity_ratio_standard_error(summary.perplexity_ratio.standard_error);
  candidate.set_top1_agreement(summary.top1_agreement.value);
  candidate.set_top1_agreement_standard_error(summary.top1_agreement.standard_error);
}

v1::TokenLoss TokenLossOf(const LossSummary& loss) {
  v1::TokenLoss proto;
  proto.set_mean_nll(loss.mean_nll.value);
  proto.set_mean_nll_standard_error(loss.mean_nll.standard_error);
  proto.set_perplexity(loss.perplexity.value);
  proto.set_perplexity_standard_error(loss.perplexity.standard_error);
  return proto;
}

}  // namespace bitwright::worker
