#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "absl/status/statusor.h"
#include "workers/evaluate/token_stats.h"

namespace bitwright::worker {

// A mean over n tokens and its standard error. Tokens of one window are alike, so windows are what is drawn: with the
// mean m and W windows the error is √(W/(W − 1) · Σ_w (Σ_{t in w} (x_t − m))²) / n, the cluster-robust one (Cameron and
// Miller: A practitioner's guide to cluster-robust inference, J. Human Resources 50, 2015, section II). With one token
// in each window it is the sample standard deviation (n − 1) over √n. 0 where there is one window.
struct Estimate {
  double value = 0;
  double standard_error = 0;
};

// Percentiles interpolate linearly between order statistics (numpy's default).
struct Distribution {
  Estimate mean;
  double min = 0, p01 = 0, p05 = 0, p10 = 0, median = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0, max = 0;
};

struct LossSummary {
  Estimate mean_nll;    // nats per token
  Estimate perplexity;  // exp(mean NLL); standard error = perplexity · that of the mean
};

struct ProbabilityDelta {
  static constexpr std::array<double, 11> kPercents = {0.1, 1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9};
  Estimate mean;
  Estimate rms;  // √ of the mean square; standard error = that of the mean square / (2 · rms)
  double min = 0, max = 0;
  std::array<double, kPercents.size()> percentiles = {};
};

// All numbers of a report about one candidate, from the statistics of all its tokens.
struct EvaluationSummary {
  int64_t tokens = 0;
  LossSummary base, quantized;
  Estimate delta_nll;         // mean of nll_quantized − nll_base, paired
  Estimate perplexity_ratio;  // exp(delta_nll); standard error = ratio · that of delta_nll
  Distribution kl;
  Estimate top1_agreement;  // share
  ProbabilityDelta p_delta;
};

// `window`: that many consecutive tokens belong together, the last ones perhaps fewer.
// FAILED_PRECONDITION, reason EVALUATION_EMPTY (no tokens) or EVALUATION_NOT_FINITE (naming the first such token).
absl::StatusOr<EvaluationSummary> Summarize(const TokenStats& stats, int64_t window);

}  // namespace bitwright::worker
