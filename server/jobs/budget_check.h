#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "bitwright/v1/plans.pb.h"
#include "bitwright/v1/recipes.pb.h"
#include "bitwright/v1/reports.pb.h"

namespace bitwright::server {

// Exact ends of what plans can take: every unit at its smallest or largest option that the recipe allows. Average bits
// are 8 · weight bytes / quantized_weights; artifact bytes add kept_bytes and overhead_bytes.
struct PlanLimits {
  int64_t smallest_weight_bytes = 0;
  int64_t largest_weight_bytes = 0;
  int64_t smallest_artifact_bytes = 0;
  int64_t largest_artifact_bytes = 0;
  double smallest_average_bits = 0;
  double largest_average_bits = 0;
};
PlanLimits LimitsOf(const v1::TargetInfo& target, const v1::Recipe& recipe);

// INVALID_ARGUMENT: BUDGET_MISSING, BUDGET_INVALID (negative, zero, not finite), BUDGET_BELOW_SMALLEST_PLAN,
// BUDGET_ABOVE_LARGEST_PLAN. The message gives the nearest value that is accepted.
absl::Status CheckBudget(const v1::Budget& budget, const PlanLimits& limits);

}  // namespace bitwright::server
