#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <vector>

#include "tests/support/status_matchers.h"
#include "workers/allocate/knapsack.h"

namespace bitwright::worker {
namespace {

using Units = std::vector<std::vector<Option>>;

std::optional<double> LeastLoss(const Units& units, int64_t budget, size_t from = 0) {
  if (budget < 0) return std::nullopt;
  if (from == units.size()) return 0;
  std::optional<double> least;
  for (const Option& option : units[from]) {
    const std::optional<double> rest = LeastLoss(units, budget - option.bytes, from + 1);
    if (rest && (!least || *rest + option.loss < *least)) least = *rest + option.loss;
  }
  return least;
}

// Small integers make ties, duplicates and dominated options; reals make none.
Units RandomUnits(std::mt19937& random, bool integers) {
  std::uniform_int_distribution<int> count(1, 5), units(1, 7), small(0, 9);
  std::uniform_real_distribution<double> real(-0.2, 1);
  Units result(static_cast<size_t>(units(random)));
  for (auto& options : result) {
    options.resize(static_cast<size_t>(count(random)));
    for (Option& option : options) {
      option.bytes = integers ? small(random) : 1000 * small(random) + small(random);
      option.loss = integers ? small(random) : real(random) * std::pow(10.0, small(random) - 5);
    }
  }
  return result;
}

TEST(BruteForceTest, SmallInstancesAreSolvedExactly) {
  std::mt19937 random(1);
  for (int i = 0; i < 4000; ++i) {
    const bool integers = i % 2 == 0;
    const Units units = RandomUnits(random, integers);
    const int64_t budget = static_cast<int64_t>(random() % (integers ? 50 : 50000));
    const std::optional<double> least = LeastLoss(units, budget);
    const absl::StatusOr<Choice> choice = Solve(units, budget);
    ASSERT_EQ(choice.ok(), least.has_value()) << i << " " << choice.status();
    if (!least) continue;
    ASSERT_TRUE(choice->proved_optimal) << i;
    ASSERT_LE(choice->bytes, budget) << i;
    ASSERT_NEAR(choice->loss, *least, 1e-9 * std::abs(*least) + 1e-14) << i;
  }
}

TEST(BruteForceTest, BoundHoldsWhenTheSearchIsCutShort) {
  std::mt19937 random(2);
  int open = 0;
  for (int i = 0; i < 2000; ++i) {
    const Units units = RandomUnits(random, false);
    const int64_t budget = static_cast<int64_t>(random() % 50000);
    const std::optional<double> least = LeastLoss(units, budget);
    if (!least) continue;
    const absl::StatusOr<Choice> choice = Solve(units, budget, {.states = 6});
    ASSERT_TRUE(choice.ok());
    const double slip = 1e-9 * std::abs(*least) + 1e-14;
    ASSERT_GE(choice->loss, *least - slip) << i;
    ASSERT_LE(choice->bound, *least + slip) << i;
    open += choice->proved_optimal ? 0 : 1;
  }
  EXPECT_GT(open, 20);
}

}  // namespace
}  // namespace bitwright::worker
