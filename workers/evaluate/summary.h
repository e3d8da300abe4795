#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "workers/evaluate/token_stats.h"

namespace bitwright::worker {

// A value and its standard error: sample standard deviation (n − 1) / √n; 0 for a single token.
struct Estimate {
  double value = 0;
  double standard_error = 0;
};

// Percentiles interpolate linearly between order statistics (numpy's default).
struct Distribution {
  Estimate mean;
  double min = 0, median = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
};

struct LossSummary {
  Estimate mean_nll;    // nats per token
  Estimate perplexity;  // exp(mean NLL); standard error = perplexity · that of the mean
};

struct ProbabilityDelta {
  static constexpr std::array<double, 11> kPercents = {0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9};
  Estimate mean;
  double rms = 0, min = 0, max = 0;
  std::array<double, kPercents.size()> percentiles = {};
};

// All numbers of a report about one candidate, from the statistics of all its tokens.
struct EvaluationSummary {
  int64_t tokens = 0;
  LossSummary base, quantized;
  Estimate delta_nll;         // mean of nll_quantized − nll_base, paired
  Estimate perplexity_ratio;  // exp(delta_nll); standard error = ratio · that of delta_nll
  Distribution kl;
  Estimate top1_agreement;  // share a; standard error √(a(1 − a)/(n − 1))
  ProbabilityDelta p_delta;
};

// FAILED_PRECONDITION, reason EVALUATION_EMPTY (no tokens) or EVALUATION_NOT_FINITE (naming the first such token).
absl::StatusOr<EvaluationSummary> Summarize(const TokenStats& stats);

}  // namespace bitwright::worker
