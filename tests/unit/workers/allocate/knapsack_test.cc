#include "workers/allocate/knapsack.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

using Units = std::vector<std::vector<Option>>;

TEST(KnapsackTest, BudgetBelowTheSmallestPlanSaysBoth) {
  const Units units = {{{10, 1.0}, {20, 0.0}}, {{5, 1.0}}};
  const absl::Status status = Solve(units, 14).status();
  EXPECT_THAT(status, HasReason("BUDGET_BELOW_SMALLEST_PLAN"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(GetErrorDetail(status)->metadata.at("smallest"), "15");
  EXPECT_EQ(GetErrorDetail(status)->metadata.at("budget"), "14");
  BITWRIGHT_EXPECT_OK(Solve(units, 15));
}

TEST(KnapsackTest, RefusesOptionsThatCannotBeCompared) {
  const double nan = std::nan("");
  EXPECT_THAT(Solve(Units{{{1, 0.0}}, {}}, 10), HasReason("OPTIONS_INVALID"));
  EXPECT_THAT(Solve(Units{{{-1, 0.0}}}, 10), HasReason("OPTIONS_INVALID"));
  EXPECT_THAT(Solve(Units{{{1, nan}}}, 10), HasReason("OPTIONS_INVALID"));
  const int64_t most = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(Solve(Units{{{most, 0.0}}, {{1, 0.0}}}, most), HasReason("OPTIONS_INVALID"));
}

TEST(KnapsackTest, TiesGoToLowerIndices) {
  // Three equal units, room for one upgrade; each has its better option twice.
  const Units units(3, {{10, 1.0}, {20, 0.5}, {20, 0.5}});
  ASSERT_OK_AND_ASSIGN(const Choice choice, Solve(units, 40));
  EXPECT_EQ(choice.option, (std::vector<int32_t>{1, 0, 0}));
  EXPECT_TRUE(choice.proved_optimal);
  EXPECT_EQ(choice.bound, 2.5);
}

TEST(KnapsackTest, MoreThanEnoughTakesTheLeastLossInTheFewestBytes) {
  ASSERT_OK_AND_ASSIGN(const Choice choice, Solve(Units{{{30, 0.5}, {20, 0.5}, {10, 1.0}}}, 1000));
  EXPECT_EQ(choice.option, std::vector<int32_t>{1});
  EXPECT_EQ(choice.lambda, 0);
  EXPECT_TRUE(choice.proved_optimal);
}

TEST(KnapsackTest, NoUnitsIsAnEmptyPlan) {
  ASSERT_OK_AND_ASSIGN(const Choice choice, Solve(Units{}, 0));
  EXPECT_EQ(choice.bytes, 0);
  EXPECT_TRUE(choice.proved_optimal);
}

TEST(KnapsackTest, GapIsSmallAboveAThousandUnits) {
  std::mt19937 random(3);
  std::lognormal_distribution<double> size(12, 1), sensitivity(0, 2);
  for (const int units_count : {1000, 5000}) {
    Units units(static_cast<size_t>(units_count));
    int64_t weights = 0;
    for (auto& options : units) {
      const int64_t n = static_cast<int64_t>(size(random)) + 64;
      const double scale = sensitivity(random);
      weights += n;
      for (int bits = 2; bits <= 8; ++bits) options.push_back({n * bits / 8 + 16, scale * std::pow(4.0, -bits)});
    }
    for (const double average : {2.3, 3.5, 4.25, 6.0}) {
      const int64_t budget = static_cast<int64_t>(static_cast<double>(weights) * average / 8) + 16 * units_count;
      ASSERT_OK_AND_ASSIGN(const Choice choice, Solve(units, budget));
      EXPECT_LE(choice.bytes, budget);
      EXPECT_LE(choice.loss - choice.bound, 1e-4 * choice.loss);
    }
  }
}

}  // namespace
}  // namespace bitwright::worker
