#include "workers/evaluate/summary.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "workers/evaluate/evaluate_errors.h"

namespace bitwright::worker {
namespace {

// Compensated (Neumaier 1974): the result does not depend on how many tokens there are.
template <typename Values>
double Sum(const Values& values) {
  double sum = 0, lost = 0;
  for (const double value : values) {
    const double next = sum + value;
    lost += std::abs(sum) >= std::abs(value) ? (sum - next) + value : (value - next) + sum;
    sum = next;
  }
  return sum + lost;
}

Estimate Mean(std::span<const double> values) {
  const double n = static_cast<double>(values.size());
  const double mean = Sum(values) / n;
  if (values.size() < 2) return {mean, 0};
  std::vector<double> squares;
  squares.reserve(values.size());
  for (const double value : values) squares.push_back((value - mean) * (value - mean));
  return {mean, std::sqrt(Sum(squares) / (n - 1) / n)};
}

double Percentile(const std::vector<double>& sorted, double percent) {
  const double place = percent / 100 * static_cast<double>(sorted.size() - 1);
  const size_t low = static_cast<size_t>(place);
  const size_t high = std::min(low + 1, sorted.size() - 1);
  const double share = place - static_cast<double>(low), step = sorted[high] - sorted[low];
  return share < 0.5 ? sorted[low] + step * share : sorted[high] - step * (1 - share);
}

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

Estimate Exponential(Estimate mean) {
  const double value = std::exp(mean.value);
  return {value, value * mean.standard_error};
}

LossSummary Loss(std::span<const double> nll) {
  const Estimate mean = Mean(nll);
  return {mean, Exponential(mean)};
}

Distribution Distribute(std::span<const double> values) {
  const std::vector<double> sorted = Sorted(values);
  return {Mean(values),           sorted.front(),         Percentile(sorted, 50),   Percentile(sorted, 90),
          Percentile(sorted, 95), Percentile(sorted, 99), Percentile(sorted, 99.9), sorted.back()};
}

ProbabilityDelta Delta(std::span<const double> values) {
  const std::vector<double> sorted = Sorted(values);
  ProbabilityDelta delta{Mean(values), 0, sorted.front(), sorted.back(), {}};
  std::vector<double> squares;
  squares.reserve(values.size());
  for (const double value : values) squares.push_back(value * value);
  delta.rms = std::sqrt(Sum(squares) / static_cast<double>(values.size()));
  for (size_t i = 0; i < delta.percentiles.size(); ++i) {
    delta.percentiles[i] = Percentile(sorted, ProbabilityDelta::kPercents[i]);
  }
  return delta;
}

Estimate Agreement(const std::vector<uint8_t>& same) {
  const double n = static_cast<double>(same.size());
  const double share = Sum(same) / n;
  return {share, same.size() < 2 ? 0 : std::sqrt(share * (1 - share) / (n - 1))};
}

absl::Status CheckFinite(std::span<const double> values) {
  if (values.empty()) return EvaluationEmptyError();
  for (size_t t = 0; t < values.size(); ++t) {
    if (!std::isfinite(values[t])) return EvaluationNotFiniteError(static_cast<int64_t>(t));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EvaluationSummary> Summarize(const TokenStats& stats) {
  for (const auto* values : {&stats.nll_base, &stats.nll_quantized, &stats.kl, &stats.p_delta}) {
    if (absl::Status status = CheckFinite(*values); !status.ok()) return status;
  }
  std::vector<double> paired(stats.nll_base.size());
  for (size_t t = 0; t < paired.size(); ++t) paired[t] = stats.nll_quantized[t] - stats.nll_base[t];
  EvaluationSummary summary;
  summary.tokens = stats.size();
  summary.base = Loss(stats.nll_base);
  summary.quantized = Loss(stats.nll_quantized);
  summary.delta_nll = Mean(paired);
  summary.perplexity_ratio = Exponential(summary.delta_nll);
  summary.kl = Distribute(stats.kl);
  summary.top1_agreement = Agreement(stats.top1_same);
  summary.p_delta = Delta(stats.p_delta);
  return summary;
}

}  // namespace bitwright::worker
