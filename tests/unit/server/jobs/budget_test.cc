#include <cmath>
#include <limits>

#include "server/jobs/budget_check.h"
#include "server/jobs/recipe_check.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

using ::testing::HasSubstr;

v1::Budget Bits(double bits) {
  v1::Budget budget;
  budget.set_average_bits(bits);
  return budget;
}

v1::Budget Bytes(int64_t bytes) {
  v1::Budget budget;
  budget.set_artifact_bytes(bytes);
  return budget;
}

TEST(Budget, LimitsAreExactSums) {
  const v1::ModelInfo info = Info({});
  const PlanLimits limits = LimitsOf(info.targets(0), MixedGptq());
  int64_t smallest = 0;
  int64_t largest = 0;
  for (const auto& unit : info.targets(0).units()) {
    // Int2 with one scale per row; int8 in groups of 32.
    const auto find = [&](int bits, int group) {
      for (const auto& option : unit.options()) {
        if (option.bits() == bits && option.group_size() == group) return option.bytes();
      }
      return int64_t{0};
    };
    smallest += find(2, 0);
    largest += find(8, 32);
  }
  EXPECT_EQ(limits.smallest_weight_bytes, smallest);
  EXPECT_EQ(limits.largest_weight_bytes, largest);
  EXPECT_EQ(limits.largest_artifact_bytes, largest + info.targets(0).kept_bytes() + info.targets(0).overhead_bytes());
  EXPECT_DOUBLE_EQ(limits.smallest_average_bits, 8.0 * smallest / info.targets(0).quantized_weights());
}

TEST(Budget, EndsAreInclusive) {
  const PlanLimits limits = LimitsOf(Info({}).targets(0), MixedGptq());
  EXPECT_THAT(CheckBudget(Bits(limits.smallest_average_bits), limits), IsOk());
  EXPECT_THAT(CheckBudget(Bits(limits.largest_average_bits), limits), IsOk());
  EXPECT_THAT(CheckBudget(Bits(std::nextafter(limits.smallest_average_bits, 0)), limits),
              HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
  EXPECT_THAT(CheckBudget(Bits(std::nextafter(limits.largest_average_bits, 99)), limits),
              HasReason("BUDGET_ABOVE_LARGEST_PLAN"));
  EXPECT_THAT(CheckBudget(Bytes(limits.smallest_artifact_bytes), limits), IsOk());
  EXPECT_THAT(CheckBudget(Bytes(limits.largest_artifact_bytes), limits), IsOk());
  EXPECT_THAT(CheckBudget(Bytes(limits.smallest_artifact_bytes - 1), limits), HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
  EXPECT_THAT(CheckBudget(Bytes(limits.largest_artifact_bytes + 1), limits), HasReason("BUDGET_ABOVE_LARGEST_PLAN"));
}

TEST(Budget, MessageNamesAValueThatIsAccepted) {
  const PlanLimits limits = LimitsOf(Info({}).targets(0), MixedGptq());
  const absl::Status below = CheckBudget(Bits(1), limits);
  const auto detail = GetErrorDetail(below);
  ASSERT_TRUE(detail.has_value());
  EXPECT_THAT(CheckBudget(Bits(std::stod(detail->metadata.at("limit"))), limits), IsOk()) << below;
  const absl::Status above = CheckBudget(Bytes(int64_t{1} << 50), limits);
  EXPECT_THAT(std::string(above.message()), HasSubstr("at most " + std::to_string(limits.largest_artifact_bytes)));
}

TEST(Budget, FormatsOfTheRecipeNarrowTheLimits) {
  v1::Recipe recipe = MixedGptq();
  recipe.mutable_formats()->add_bits(4);
  recipe.mutable_formats()->add_group_sizes(32);
  const PlanLimits limits = LimitsOf(Info({}).targets(0), recipe);
  EXPECT_EQ(limits.smallest_weight_bytes, limits.largest_weight_bytes);
  EXPECT_NEAR(limits.smallest_average_bits, 4.5, 0.05);
}

TEST(Budget, NumbersThatAreNoneAreInvalid) {
  const PlanLimits limits = LimitsOf(Info({}).targets(0), MixedGptq());
  for (const double bits : {std::nan(""), -4.25, 0.0, std::numeric_limits<double>::infinity()}) {
    EXPECT_THAT(CheckBudget(Bits(bits), limits), HasReason("BUDGET_INVALID")) << bits;
  }
  EXPECT_THAT(CheckBudget(Bytes(-1), limits), HasReason("BUDGET_INVALID"));
  EXPECT_THAT(CheckBudget(v1::Budget(), limits), HasReason("BUDGET_MISSING"));
}

}  // namespace
}  // namespace bitwright::server
