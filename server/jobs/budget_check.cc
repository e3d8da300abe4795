#include "server/jobs/budget_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <string>

#include "server/jobs/job_errors.h"
#include "server/jobs/recipe_check.h"

namespace bitwright::server {
namespace {

std::string Print(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string Bits(double bits) { return Print("%.6g", bits) + " bits per weight"; }
// Rounded outwards, so that the printed number is accepted.
std::string AtLeastBits(double bits) { return Print("%.4f", std::ceil(bits * 1e4) / 1e4) + " bits per weight"; }
std::string AtMostBits(double bits) { return Print("%.4f", std::floor(bits * 1e4) / 1e4) + " bits per weight"; }
std::string Bytes(int64_t bytes) { return std::to_string(bytes) + " bytes"; }

absl::Status CheckBits(double bits, const PlanLimits& limits) {
  if (!std::isfinite(bits) || bits <= 0) return BudgetInvalidError(Bits(bits));
  if (bits < limits.smallest_average_bits) {
    return BudgetBelowSmallestError(Bits(bits), AtLeastBits(limits.smallest_average_bits));
  }
  if (bits > limits.largest_average_bits) {
    return BudgetAboveLargestError(Bits(bits), AtMostBits(limits.largest_average_bits));
  }
  return absl::OkStatus();
}

// A bound says nothing of sizes: whether a plan meets it is measured.
absl::Status CheckBound(double bound, const char* unit) {
  if (std::isfinite(bound) && bound > 0) return absl::OkStatus();
  return BudgetInvalidError(Print("%.6g", bound) + unit);
}

absl::Status CheckBytes(int64_t bytes, const PlanLimits& limits) {
  if (bytes <= 0) return BudgetInvalidError(Bytes(bytes));
  if (bytes < limits.smallest_artifact_bytes) {
    return BudgetBelowSmallestError(Bytes(bytes), Bytes(limits.smallest_artifact_bytes));
  }
  if (bytes > limits.largest_artifact_bytes) {
    return BudgetAboveLargestError(Bytes(bytes), Bytes(limits.largest_artifact_bytes));
  }
  return absl::OkStatus();
}

}  // namespace

PlanLimits LimitsOf(const v1::TargetInfo& target, const v1::Recipe& recipe) {
  PlanLimits limits;
  for (const v1::TargetInfo::Unit& unit : target.units()) {
    int64_t smallest = std::numeric_limits<int64_t>::max();
    int64_t largest = 0;
    for (const v1::FormatOption& option : unit.options()) {
      if (!OptionAllowed(recipe, unit, option)) continue;
      smallest = std::min(smallest, option.bytes());
      largest = std::max(largest, option.bytes());
    }
    if (largest == 0) continue;
    limits.smallest_weight_bytes += smallest;
    limits.largest_weight_bytes += largest;
  }
  const int64_t rest = target.kept_bytes() + target.overhead_bytes();
  const double weights = static_cast<double>(std::max<int64_t>(1, target.quantized_weights()));
  limits.smallest_artifact_bytes = rest + limits.smallest_weight_bytes;
  limits.largest_artifact_bytes = rest + limits.largest_weight_bytes;
  limits.smallest_average_bits = 8.0 * limits.smallest_weight_bytes / weights;
  limits.largest_average_bits = 8.0 * limits.largest_weight_bytes / weights;
  return limits;
}

absl::Status CheckBudget(const v1::Budget& budget, const PlanLimits& limits) {
  switch (budget.kind_case()) {
    case v1::Budget::kAverageBits:
      return CheckBits(budget.average_bits(), limits);
    case v1::Budget::kArtifactBytes:
      return CheckBytes(budget.artifact_bytes(), limits);
    case v1::Budget::kMaxKlDivergence:
      return CheckBound(budget.max_kl_divergence(), " nats per token");
    case v1::Budget::kMaxPerplexityRise:
      return CheckBound(budget.max_perplexity_rise(), " times the perplexity");
    case v1::Budget::KIND_NOT_SET:
      break;
  }
  return BudgetMissingError();
}

}  // namespace bitwright::server
