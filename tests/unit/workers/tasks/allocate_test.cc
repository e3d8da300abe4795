#include <gtest/gtest.h>

#include <random>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tasks/task_chain.h"

namespace bitwright::worker {
namespace {

constexpr int kBits[] = {2, 3, 4, 6, 8};
constexpr int64_t kWeights = 1024;  // of each unit

struct Problem {
  v1::ModelInfo info;
  v1::Sensitivity sensitivity;
};

// Units of one size with random losses, which fall with the width; those named in `tied` have one tie.
Problem MakeProblem(int units, const std::vector<int>& tied, uint32_t seed) {
  std::mt19937 random(seed);
  Problem problem;
  v1::TargetInfo& target = *problem.info.add_targets();
  target.set_target("compressed-tensors");
  target.set_quantized_weights(units * kWeights);
  for (int u = 0; u < units; ++u) {
    v1::UnitInfo& info = *problem.info.add_units();
    info.set_name("u" + std::to_string(u));
    info.set_weights(kWeights);
    target.add_units();
    if (std::find(tied.begin(), tied.end(), u) != tied.end()) info.set_tie("experts");
    v1::Sensitivity::Unit& unit = *problem.sensitivity.add_units();
    unit.set_name(info.name());
    const double scale = std::exp(static_cast<double>(random() % 1000) / 100);
    for (const int bits : kBits) {
      v1::FormatOption& option = *unit.add_options();
      option.mutable_format()->mutable_integer()->set_bits(bits);
      option.set_bytes(kWeights * bits / 8);
      option.set_loss(scale * std::pow(0.25, bits));
    }
  }
  return problem;
}

absl::StatusOr<v1::Allocation> RunWith(const v1::AllocateParams& params, const Problem& problem,
                                       const v1::Checks& checks) {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kAllocate);
  *spec.mutable_allocate() = params;
  const auto outputs = RunOnBlobs(spec, {{TaskFile::kInfo, problem.info.SerializeAsString()},
                                         {Numbered(TaskFile::kSensitivity, 0), problem.sensitivity.SerializeAsString()},
                                         {Numbered(TaskFile::kChecks, 0), checks.SerializeAsString()}});
  if (!outputs.ok()) return outputs.status();
  v1::Allocation allocation;
  EXPECT_TRUE(allocation.ParseFromString(outputs->at(TaskFile::kAllocation)));
  return allocation;
}

absl::StatusOr<v1::Allocation> Allocate(const Problem& problem, double average_bits, const v1::Checks& checks) {
  v1::AllocateParams params;
  params.mutable_budget()->set_average_bits(average_bits);
  params.mutable_recipe()->mutable_candidates()->set_mixed(true);
  params.mutable_recipe()->mutable_candidates()->set_uniform(1);
  return RunWith(params, problem, checks);
}

// What measurements say beside what was predicted.
struct SaidAndFound {
  int bits = 0;
  double predicted = 0, measured = 0;
};

v1::Checks Measured(const std::string& unit, const std::vector<SaidAndFound>& by_bits) {
  v1::Checks checks;
  v1::Checks::Unit& to = *checks.add_units();
  to.set_name(unit);
  for (const auto& [bits, predicted, measured] : by_bits) {
    v1::Checks::Measurement& measurement = *to.add_measurements();
    measurement.mutable_format()->mutable_integer()->set_bits(bits);
    measurement.set_kl(measured);
    measurement.set_predicted(predicted);
  }
  return checks;
}

// Least loss within the budget over all plans that keep the tie.
double LeastLoss(const Problem& problem, const std::vector<int>& tied, double average_bits) {
  const int units = problem.info.units_size();
  double least = 1e300;
  for (int code = 0; code < static_cast<int>(std::pow(std::size(kBits), units)); ++code) {
    std::vector<int> choice;
    for (int u = 0, rest = code; u < units; ++u, rest /= static_cast<int>(std::size(kBits))) {
      choice.push_back(rest % static_cast<int>(std::size(kBits)));
    }
    double loss = 0, bits = 0;
    bool kept = true;
    for (int u = 0; u < units; ++u) {
      loss += problem.sensitivity.units(u).options(choice[u]).loss();
      bits += kBits[choice[u]];
    }
    for (const int u : tied) kept = kept && choice[u] == choice[tied.front()];
    if (kept && bits <= average_bits * units) least = std::min(least, loss);
  }
  return least;
}

absl::StatusOr<v1::Allocation> Allocate(const Problem& problem, double average_bits) {
  return Allocate(problem, average_bits, Measured("u0", {}));
}

absl::StatusOr<v1::Plan> Mixed(const Problem& problem, double average_bits) {
  ABSL_ASSIGN_OR_RETURN(const v1::Allocation allocation, Allocate(problem, average_bits));
  return allocation.candidates(0);
}

TEST(Allocate, UnitsOfOneTieGetOneFormatAndThePlanIsTheBestOfThose) {
  for (const std::vector<int>& tied : {std::vector<int>{}, {1, 3}, {0, 2, 4}}) {
    for (uint32_t seed = 1; seed <= 4; ++seed) {
      const Problem problem = MakeProblem(5, tied, seed);
      ASSERT_OK_AND_ASSIGN(const v1::Plan plan, Mixed(problem, 4.1));
      for (const int u : tied) {
        EXPECT_EQ(plan.units(u).format().integer().bits(), plan.units(tied.front()).format().integer().bits());
      }
      EXPECT_NEAR(plan.predicted_loss(), LeastLoss(problem, tied, 4.1), 1e-9 * plan.predicted_loss());
    }
  }
}

TEST(Allocate, ATieWithoutACommonFormatIsRefusedByName) {
  Problem problem = MakeProblem(3, {0, 2}, 1);
  problem.sensitivity.mutable_units(2)->mutable_options()->DeleteSubrange(1, 4);
  problem.sensitivity.mutable_units(0)->mutable_options()->DeleteSubrange(0, 1);
  EXPECT_THAT(Mixed(problem, 4), HasReason("TIE_WITHOUT_FORMAT"));
}

TEST(Allocate, MeasurementsCorrectWhatTheCurvatureSays) {
  const Problem problem = MakeProblem(3, {}, 5);
  const auto predicted = [&](int unit, int bits) {
    for (const v1::FormatOption& option : problem.sensitivity.units(unit).options()) {
      if (option.format().integer().bits() == bits) return option.loss();
    }
    return 0.0;
  };
  // u1 costs twice what was said at 2 bits, thrice at 4.
  const v1::Checks checks =
      Measured("u1", {{2, predicted(1, 2), 2 * predicted(1, 2)}, {4, predicted(1, 4), 3 * predicted(1, 4)}});
  ASSERT_OK_AND_ASSIGN(const v1::Allocation allocation, Allocate(problem, 8, checks));
  ASSERT_EQ(allocation.checks_size(), 2);
  EXPECT_EQ(allocation.checks(0).bits(), 2);
  EXPECT_EQ(allocation.checks(0).units(), 1);
  EXPECT_DOUBLE_EQ(allocation.checks(0).measured() / allocation.checks(0).predicted(), 2);
  EXPECT_DOUBLE_EQ(allocation.checks(1).measured() / allocation.checks(1).predicted(), 3);
  // All other widths follow the nearest one that was measured; so do all other units.
  for (const auto& [bits, factor] : {std::pair{2, 2.0}, {3, 3.0}, {4, 3.0}, {6, 3.0}, {8, 3.0}}) {
    ASSERT_OK_AND_ASSIGN(const v1::Allocation uniform, Allocate(problem, bits, checks));
    const v1::Plan& plan = uniform.candidates(uniform.candidates_size() - 1);
    ASSERT_EQ(plan.units(0).format().integer().bits(), bits);
    for (int u = 0; u < 3; ++u) EXPECT_DOUBLE_EQ(plan.units(u).predicted_loss(), factor * predicted(u, bits)) << bits;
  }
}

// Units are measured in formats that a target need not have: their widths say what its own cost.
TEST(Allocate, MeasurementsInFormatsOfNoTargetCorrectThoseOfTheirWidth) {
  const Problem problem = MakeProblem(2, {}, 5);
  v1::Checks checks = Measured("u1", {{4, 0.1, 0.2}, {2, 0.3, 0.9}});
  for (v1::Checks::Measurement& measurement : *checks.mutable_units(0)->mutable_measurements()) {
    measurement.mutable_format()->mutable_integer()->set_group_size(128);
  }
  for (const auto& [bits, factor] : {std::pair{2, 3.0}, {4, 2.0}}) {
    ASSERT_OK_AND_ASSIGN(const v1::Allocation allocation, Allocate(problem, bits, checks));
    const v1::Plan& plan = allocation.candidates(allocation.candidates_size() - 1);
    for (int u = 0; u < 2; ++u) {
      const auto& options = problem.sensitivity.units(u).options();
      const auto same = std::ranges::find_if(
          options, [&](const v1::FormatOption& option) { return option.format().integer().bits() == bits; });
      EXPECT_DOUBLE_EQ(plan.units(u).predicted_loss(), factor * same->loss()) << bits;
    }
  }
}

// Of units that are predicted to be alike, one is measured to cost far more than another.
TEST(Allocate, MeasurementsMoveThePlan) {
  Problem problem = MakeProblem(4, {}, 1);
  const auto options = problem.sensitivity.units(0).options();
  v1::Checks checks;
  for (const auto& [unit, factor] : {std::pair{1, 1.0}, {2, 1000.0}}) {
    std::vector<SaidAndFound> measured;
    for (const v1::FormatOption& option : options)
      measured.push_back({option.format().integer().bits(), option.loss(), factor * option.loss()});
    checks.MergeFrom(Measured("u" + std::to_string(unit), measured));
  }
  for (int u = 1; u < 4; ++u) *problem.sensitivity.mutable_units(u)->mutable_options() = options;
  ASSERT_OK_AND_ASSIGN(const v1::Allocation before, Allocate(problem, 4));
  ASSERT_OK_AND_ASSIGN(const v1::Allocation after, Allocate(problem, 4, checks));
  const auto bits = [](const v1::Allocation& allocation, int unit) {
    return allocation.candidates(0).units(unit).format().integer().bits();
  };
  for (int u = 0; u < 4; ++u) EXPECT_EQ(bits(before, u), 4);
  EXPECT_LT(bits(after, 1), 4);
  EXPECT_GT(bits(after, 2), 4);
}

TEST(Allocate, WithoutMeasurementsLossesAreThePredictions) {
  const Problem problem = MakeProblem(2, {}, 3);
  ASSERT_OK_AND_ASSIGN(const v1::Allocation allocation, Allocate(problem, 2));
  EXPECT_EQ(allocation.checks_size(), 0);
  EXPECT_EQ(allocation.candidates(0).units(0).predicted_loss(), problem.sensitivity.units(0).options(0).loss());
}

// Each plan of the front is what a budget of its own size would get; uniform plans follow.
TEST(Allocate, UnderABoundOfQualityTheFrontIsPlanned) {
  const Problem problem = MakeProblem(6, {1, 3}, 4);
  v1::AllocateParams params;
  params.mutable_budget()->set_max_kl_divergence(0.1);
  params.mutable_recipe()->mutable_candidates()->set_mixed(true);
  const v1::Checks none = Measured("u0", {});
  ASSERT_OK_AND_ASSIGN(const v1::Allocation allocation, RunWith(params, problem, none));
  EXPECT_TRUE(allocation.proved_optimal());
  int mixed = 0;
  for (const v1::Plan& plan : allocation.candidates()) mixed += plan.kind() == v1::PLAN_KIND_MIXED;
  ASSERT_GT(mixed, 10);
  EXPECT_EQ(allocation.candidates_size(), mixed + std::ssize(kBits));
  ASSERT_EQ(allocation.front_size(), mixed);
  for (int p = 0; p < mixed; ++p) {
    const v1::Plan& plan = allocation.candidates(p);
    EXPECT_EQ(plan.kind(), v1::PLAN_KIND_MIXED);
    EXPECT_EQ(plan.units(1).format().SerializeAsString(), plan.units(3).format().SerializeAsString());
    EXPECT_EQ(allocation.front(p).artifact_bytes(), plan.artifact_bytes());
    EXPECT_NEAR(allocation.front(p).predicted_loss(), plan.predicted_loss(), 1e-12);
    ASSERT_OK_AND_ASSIGN(const v1::Plan best, Mixed(problem, plan.average_bits()));
    EXPECT_NEAR(best.predicted_loss(), plan.predicted_loss(), 1e-12);
    if (p > 0) {
      EXPECT_GT(plan.weight_bytes(), allocation.candidates(p - 1).weight_bytes());
    }
  }
  EXPECT_DOUBLE_EQ(allocation.candidates(0).average_bits(), kBits[0]);
  EXPECT_DOUBLE_EQ(allocation.candidates(mixed - 1).average_bits(), *std::rbegin(kBits));

  params.mutable_recipe()->mutable_candidates()->set_mixed(false);
  ASSERT_OK_AND_ASSIGN(const v1::Allocation uniform, RunWith(params, problem, none));
  ASSERT_EQ(uniform.candidates_size(), std::ssize(kBits)) << "wider ones cost less, each";
  for (int p = 0; p < uniform.candidates_size(); ++p) {
    EXPECT_EQ(uniform.candidates(p).kind(), v1::PLAN_KIND_UNIFORM);
    EXPECT_DOUBLE_EQ(uniform.candidates(p).average_bits(), kBits[p]);
  }
}

TEST(Allocate, ExpertsThatCalibrationDidNotReachAreNamed) {
  Problem problem = MakeProblem(2, {}, 3);
  ASSERT_OK_AND_ASSIGN(const v1::Allocation reached, Allocate(problem, 4));
  EXPECT_EQ(reached.notices_size(), 0);
  problem.sensitivity.mutable_units(1)->add_unreached(5);
  problem.sensitivity.mutable_units(1)->add_unreached(7);
  ASSERT_OK_AND_ASSIGN(const v1::Allocation allocation, Allocate(problem, 4));
  ASSERT_EQ(allocation.notices_size(), 1);
  EXPECT_EQ(allocation.notices(0).reason(), "EXPERTS_NOT_REACHED");
  EXPECT_NE(allocation.notices(0).message().find("u1 5, u1 7;"), std::string::npos) << allocation.notices(0).message();
}

}  // namespace
}  // namespace bitwright::worker
