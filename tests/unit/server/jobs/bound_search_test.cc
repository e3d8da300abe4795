#include "server/jobs/bound_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>
#include <string>

namespace bitwright::server {
namespace {

v1::Budget KlBound(double kl) {
  v1::Budget bound;
  bound.set_max_kl_divergence(kl);
  return bound;
}

// A front of so many plans, each predicted to lose `ratio` of the one before; then uniform plans.
v1::Allocation Front(int plans, double ratio) {
  v1::Allocation allocation;
  double loss = 2;
  for (int p = 0; p < plans; ++p, loss *= ratio) {
    v1::Plan& plan = *allocation.add_candidates();
    plan.set_kind(v1::PLAN_KIND_MIXED);
    plan.set_predicted_loss(loss);
    plan.set_weight_bytes(1000 + 10 * p);
  }
  for (const auto& [bytes, predicted] : {std::pair(1100, 0.9), {1205, 0.3}, {1300, 0.35}, {1400, 0.01}}) {
    v1::Plan& plan = *allocation.add_candidates();
    plan.set_kind(v1::PLAN_KIND_UNIFORM);
    plan.set_predicted_loss(predicted);
    plan.set_weight_bytes(bytes);
  }
  return allocation;
}

struct Found {
  std::vector<v1::Probe> probes;
  std::optional<int> selected;
};

// The whole search, where plan p is measured at measured(p).
Found Search(const v1::Budget& bound, const v1::Allocation& allocation, const std::function<double(int)>& measured) {
  Found found;
  while (true) {
    const BoundSearch search = SearchBound(bound, allocation, found.probes);
    found.selected = search.selected;
    if (!search.next) return found;
    EXPECT_LT(found.probes.size(), 100u);
    v1::Probe& probe = found.probes.emplace_back();
    probe.set_plan(*search.next);
    probe.set_kl_divergence(measured(*search.next));
    probe.set_perplexity_ratio(1 + measured(*search.next));
  }
}

bool Measured(const Found& found, int plan) {
  return std::any_of(found.probes.begin(), found.probes.end(), [&](const v1::Probe& p) { return p.plan() == plan; });
}

TEST(BoundSearch, FindsTheSmallestPlanOfAnyFallingLoss) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> real(0, 1);
  double all = 0;
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    const int plans = 1 + static_cast<int>(random() % 256);
    const v1::Allocation allocation = Front(plans, std::exp(-6.0 / plans));
    // What is measured is off by a factor, bends, and jumps.
    std::vector<double> losses;
    const double scale = std::exp(2 * real(random) - 1), bend = 0.7 + 0.6 * real(random);
    for (int p = 0; p < plans; ++p) {
      const double loss = scale * std::pow(allocation.candidates(p).predicted_loss(), bend) * (1 - 0.2 * real(random));
      losses.push_back(losses.empty() ? loss : std::min(loss, losses.back()));
    }
    const double limit = losses[random() % losses.size()] * (1 + 0.01 * real(random));
    const Found found = Search(KlBound(limit), allocation, [&](int p) { return losses[static_cast<size_t>(p)]; });
    ASSERT_TRUE(found.selected.has_value());
    const int selected = *found.selected;
    EXPECT_LE(losses[static_cast<size_t>(selected)], limit);
    EXPECT_TRUE(Measured(found, selected));
    if (selected > 0) {
      EXPECT_GT(losses[static_cast<size_t>(selected - 1)], limit);
      EXPECT_TRUE(Measured(found, selected - 1)) << "the next smaller one is known to fail";
    }
    EXPECT_LE(found.probes.size(), 3 * std::log2(plans + 1) + 1) << plans;
    all += static_cast<double>(found.probes.size());
  }
  EXPECT_LE(all / kRounds, 6);
}

TEST(BoundSearch, WherePredictionsAreRightThreeMeasurementsAreEnough) {
  const v1::Allocation allocation = Front(200, 0.97);
  const auto right = [&](int p) { return 1.15 * allocation.candidates(p).predicted_loss(); };
  for (const double limit : {1.0, 0.3, 0.05, 0.02}) {
    const Found found = Search(KlBound(limit), allocation, right);
    EXPECT_LE(found.probes.size(), 4u) << limit;
    EXPECT_LE(right(*found.selected), limit);
    EXPECT_GT(right(*found.selected - 1), limit);
  }
}

TEST(BoundSearch, ABoundThatNoPlanMeetsEndsAtTheLargest) {
  const v1::Allocation allocation = Front(40, 0.9);
  const Found found = Search(KlBound(1e-9), allocation, [](int) { return 0.5; });
  EXPECT_FALSE(found.selected.has_value());
  EXPECT_EQ(found.probes.back().plan(), 39);
}

TEST(BoundSearch, ABoundThatEveryPlanMeetsEndsAtTheSmallest) {
  const Found found = Search(KlBound(50), Front(40, 0.9), [](int) { return 0.5; });
  EXPECT_EQ(found.selected, 0);
  EXPECT_EQ(found.probes.size(), 1u);
}

TEST(BoundSearch, ARiseOfThePerplexityMayBeNegative) {
  v1::Budget bound;
  bound.set_max_perplexity_rise(0.01);
  const Found found = Search(bound, Front(64, 0.9), [](int p) { return p < 20 ? 0.05 - 0.002 * p : -0.001; });
  EXPECT_EQ(found.selected, 20);
  EXPECT_TRUE(MeetsBound(bound, found.probes.back()) || found.probes.back().plan() == 19);
}

TEST(BoundSearch, TheUniformPlanBesideIsTheBestOfNoMoreBytes) {
  const v1::Allocation allocation = Front(40, 0.9);
  EXPECT_EQ(FrontPlans(allocation), 40);
  EXPECT_EQ(UniformBeside(allocation, 5), std::nullopt) << "none is as small";
  EXPECT_EQ(UniformBeside(allocation, 15), 40);
  EXPECT_EQ(UniformBeside(allocation, 35), 41) << "of two that fit the one that is predicted to lose less";
}

}  // namespace
}  // namespace bitwright::server
