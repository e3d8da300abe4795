#include "workers/tasks/measurements.h"

#include <array>

namespace bitwright::worker {
namespace {

v1::KlDivergence ToProto(const Distribution& kl) {
  v1::KlDivergence proto;
  proto.set_mean(kl.mean.value);
  proto.set_standard_error(kl.mean.standard_error);
  proto.set_max(kl.max);
  proto.set_p999(kl.p999);
  proto.set_p99(kl.p99);
  proto.set_p95(kl.p95);
  proto.set_p90(kl.p90);
  proto.set_median(kl.median);
  proto.set_p10(kl.p10);
  proto.set_p05(kl.p05);
  proto.set_p01(kl.p01);
  proto.set_min(kl.min);
  return proto;
}

v1::ProbabilityChange ToProto(const ProbabilityDelta& delta) {
  using Proto = v1::ProbabilityChange;
  // As ProbabilityDelta::kPercents.
  constexpr std::array kSetters = {&Proto::set_p001, &Proto::set_p01,    &Proto::set_p05, &Proto::set_p10,
                                   &Proto::set_p25,  &Proto::set_median, &Proto::set_p75, &Proto::set_p90,
                                   &Proto::set_p95,  &Proto::set_p99,    &Proto::set_p999};
  static_assert(kSetters.size() == ProbabilityDelta::kPercents.size());
  Proto proto;
  proto.set_mean(delta.mean.value);
  proto.set_standard_error(delta.mean.standard_error);
  proto.set_rms(delta.rms.value);
  proto.set_rms_standard_error(delta.rms.standard_error);
  proto.set_max(delta.max);
  proto.set_min(delta.min);
  for (size_t i = 0; i < kSetters.size(); ++i) (proto.*kSetters[i])(delta.percentiles[i]);
  return proto;
}

// Candidate and TextMeasurement name what was measured alike.
template <typename Proto>
void Fill(const EvaluationSummary& summary, Proto& proto) {
  *proto.mutable_kl_divergence() = ToProto(summary.kl);
  *proto.mutable_probability_change() = ToProto(summary.p_delta);
  proto.set_perplexity(summary.quantized.perplexity.value);
  proto.set_perplexity_standard_error(summary.quantized.perplexity.standard_error);
  proto.set_mean_nll(summary.quantized.mean_nll.value);
  proto.set_mean_nll_standard_error(summary.quantized.mean_nll.standard_error);
  proto.set_perplexity_ratio(summary.perplexity_ratio.value);
  proto.set_perplexity_ratio_standard_error(summary.perplexity_ratio.standard_error);
  proto.set_top1_agreement(summary.top1_agreement.value);
  proto.set_top1_agreement_standard_error(summary.top1_agreement.standard_error);
}

}  // namespace

void FillMeasurements(const EvaluationSummary& summary, v1::Candidate& candidate) { Fill(summary, candidate); }

v1::TextMeasurement TextMeasurementOf(const EvaluationSummary& summary) {
  v1::TextMeasurement proto;
  Fill(summary, proto);
  return proto;
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
