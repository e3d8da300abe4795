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

Estimate Mean(std::span<const double> values, int64_t window) {
  const double n = static_cast<double>(values.size());
  const double mean = Sum(values) / n;
  std::vector<double> squares;  // of each window's sum of deviations
  std::vector<double> deviations;
  for (size_t first = 0; first < values.size(); first += static_cast<size_t>(window)) {
    deviations.clear();
    for (const double value : values.subspan(first, std::min(static_cast<size_t>(window), values.size() - first))) {
      deviations.push_back(value - mean);
    }
    const double sum = Sum(deviations);
    squares.push_back(sum * sum);
  }
  const double windows = static_cast<double>(squares.size());
  if (windows < 2) return {mean, 0};
  return {mean, std::sqrt(windows / (windows - 1) * Sum(squares)) / n};
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

Estimate Root(Estimate mean) {
  const double value = std::sqrt(mean.value);
  return {value, value > 0 ? mean.standard_error / (2 * value) : 0};
}

LossSummary Loss(std::span<const double> nll, int64_t window) {
  const Estimate mean = Mean(nll, window);
  return {mean, Exponential(mean)};
}

Distribution Distribute(std::span<const double> values, int64_t window) {
  const std::vector<double> sorted = Sorted(values);
  const auto at = [&](double percent) { return Percentile(sorted, percent); };
  return {.mean = Mean(values, window),
          .min = sorted.front(),
          .p01 = at(1),
          .p05 = at(5),
          .p10 = at(10),
          .median = at(50),
          .p90 = at(90),
          .p95 = at(95),
          .p99 = at(99),
          .p999 = at(99.9),
          .max = sorted.back()};
}

ProbabilityDelta Delta(std::span<const double> values, int64_t window) {
  const std::vector<double> sorted = Sorted(values);
  ProbabilityDelta delta{Mean(values, window), {}, sorted.front(), sorted.back(), {}};
  std::vector<double> squares;
  squares.reserve(values.size());
  for (const double value : values) squares.push_back(value * value);
  delta.rms = Root(Mean(squares, window));
  for (size_t i = 0; i < delta.percentiles.size(); ++i) {
    delta.percentiles[i] = Percentile(sorted, ProbabilityDelta::kPercents[i]);
  }
  return delta;
}

absl::Status CheckFinite(std::span<const double> values) {
  if (values.empty()) return EvaluationEmptyError();
  for (size_t t = 0; t < values.size(); ++t) {
    if (!std::isfinite(values[t])) return EvaluationNotFiniteError(static_cast<int64_t>(t));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EvaluationSummary> Summarize(const TokenStats& stats, int64_t window) {
  for (const auto* values : {&stats.nll_base, &stats.nll_quantized, &stats.kl, &stats.p_delta}) {
    if (absl::Status status = CheckFinite(*values); !status.ok()) return status;
  }
  std::vector<double> paired(stats.nll_base.size());
  for (size_t t = 0; t < paired.size(); ++t) paired[t] = stats.nll_quantized[t] - stats.nll_base[t];
  EvaluationSummary summary;
  summary.tokens = stats.size();
  summary.base = Loss(stats.nll_base, window);
  summary.quantized = Loss(stats.nll_quantized, window);
  summary.delta_nll = Mean(paired, window);
  summary.perplexity_ratio = Exponential(summary.delta_nll);
  summary.kl = Distribute(stats.kl, window);
  summary.top1_agreement = Mean(std::vector<double>(stats.top1_same.begin(), stats.top1_same.end()), window);
  summary.p_delta = Delta(stats.p_delta, window);
  return summary;
}

}  // namespace bitwright::worker
