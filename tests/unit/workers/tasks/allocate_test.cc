#include <gtest/gtest.h>

#include <random>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/plans.pb.h"
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
  problem.info.set_quantized_weights(units * kWeights);
  for (int u = 0; u < units; ++u) {
    v1::UnitInfo& info = *problem.info.add_units();
    info.set_name("u" + std::to_string(u));
    info.set_weights(kWeights);
    if (std::find(tied.begin(), tied.end(), u) != tied.end()) info.set_tie("experts");
    v1::Sensitivity::Unit& unit = *problem.sensitivity.add_units();
    unit.set_name(info.name());
    const double scale = std::exp(static_cast<double>(random() % 1000) / 100);
    for (const int bits : kBits) {
      v1::FormatOption& option = *unit.add_options();
      option.mutable_format()->set_bits(bits);
      option.set_bytes(kWeights * bits / 8);
      option.set_loss(scale * std::pow(0.25, bits));
    }
  }
  return problem;
}

absl::StatusOr<v1::Plan> Mixed(const Problem& problem, double average_bits) {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kAllocate);
  spec.mutable_allocate()->mutable_budget()->set_average_bits(average_bits);
  spec.mutable_allocate()->mutable_recipe()->mutable_candidates()->set_mixed(true);
  spec.mutable_allocate()->mutable_recipe()->mutable_candidates()->set_uniform(1);
  const auto outputs =
      RunOnBlobs(spec, {{TaskFile::kInfo, problem.info.SerializeAsString()},
                        {Numbered(TaskFile::kSensitivity, 0), problem.sensitivity.SerializeAsString()}});
  if (!outputs.ok()) return outputs.status();
  v1::Allocation allocation;
  EXPECT_TRUE(allocation.ParseFromString(outputs->at(TaskFile::kAllocation)));
  return allocation.candidates(0);
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

TEST(Allocate, UnitsOfOneTieGetOneFormatAndThePlanIsTheBestOfThose) {
  for (const std::vector<int>& tied : {std::vector<int>{}, {1, 3}, {0, 2, 4}}) {
    for (uint32_t seed = 1; seed <= 4; ++seed) {
      const Problem problem = MakeProblem(5, tied, seed);
      ASSERT_OK_AND_ASSIGN(const v1::Plan plan, Mixed(problem, 4.1));
      for (const int u : tied) {
        EXPECT_EQ(plan.units(u).format().bits(), plan.units(tied.front()).format().bits());
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

}  // namespace
}  // namespace bitwright::worker
