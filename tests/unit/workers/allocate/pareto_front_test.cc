#include "workers/allocate/pareto_front.h"

#include <cmath>
#include <random>

#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

using Units = std::vector<std::vector<Option>>;

Units RandomUnits(std::mt19937& random, size_t count) {
  std::uniform_real_distribution<double> real(-0.1, 1);
  Units units(count);
  for (auto& options : units) {
    options.resize(1 + random() % 6);
    for (Option& option : options) {
      option.bytes = static_cast<int64_t>(random() % 1000);
      option.loss = real(random) * std::exp(-static_cast<double>(option.bytes) / 200);
    }
  }
  return units;
}

// What a choice says of itself is what its options add up to, and the exact search finds nothing better in its bytes.
TEST(ParetoFront, EveryPointIsTheOptimumOfItsSize) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const Units units = RandomUnits(random, 1 + random() % 12);
    ASSERT_OK_AND_ASSIGN(const std::vector<FrontChoice> front, ParetoFront(units, 1000));
    for (size_t i = 0; i < front.size(); ++i) {
      int64_t bytes = 0;
      double loss = 0;
      for (size_t u = 0; u < units.size(); ++u) {
        const Option& option = units[u][static_cast<size_t>(front[i].option[u])];
        bytes += option.bytes;
        loss += option.loss;
      }
      ASSERT_EQ(front[i].bytes, bytes);
      ASSERT_NEAR(front[i].loss, loss, 1e-12);
      ASSERT_OK_AND_ASSIGN(const Choice best, Solve(units, bytes));
      ASSERT_NEAR(best.loss, loss, 1e-9 * std::abs(loss) + 1e-12) << i;
      if (i == 0) continue;
      ASSERT_GT(bytes, front[i - 1].bytes);
      ASSERT_LT(front[i].loss, front[i - 1].loss);
    }
    int64_t smallest = 0;
    double least = 0;
    for (const auto& options : units) {
      int64_t bytes = options[0].bytes;
      double loss = options[0].loss;
      for (const Option& option : options) {
        bytes = std::min(bytes, option.bytes);
        loss = std::min(loss, option.loss);
      }
      smallest += bytes;
      least += loss;
    }
    EXPECT_EQ(front.front().bytes, smallest);
    EXPECT_NEAR(front.back().loss, least, 1e-12);
  }
}

TEST(ParetoFront, KeepsBothEndsWhereThereAreMoreThanAreWanted) {
  std::mt19937 random(8);
  const Units units = RandomUnits(random, 60);
  ASSERT_OK_AND_ASSIGN(const std::vector<FrontChoice> all, ParetoFront(units, 1000));
  ASSERT_GT(all.size(), 40u);
  ASSERT_OK_AND_ASSIGN(const std::vector<FrontChoice> some, ParetoFront(units, 10));
  ASSERT_EQ(some.size(), 10u);
  EXPECT_EQ(some.front().bytes, all.front().bytes);
  EXPECT_EQ(some.back().bytes, all.back().bytes);
  for (size_t i = 1; i < some.size(); ++i) EXPECT_GT(some[i].bytes, some[i - 1].bytes);
}

TEST(ParetoFront, RefusesWhatSolveRefuses) {
  EXPECT_THAT(ParetoFront(Units{{}}, 10), HasReason("OPTIONS_INVALID"));
  EXPECT_THAT(ParetoFront(Units{{{-1, 0}}}, 10), HasReason("OPTIONS_INVALID"));
}

}  // namespace
}  // namespace bitwright::worker
