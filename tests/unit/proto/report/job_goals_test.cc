#include "proto/report/job_goals.h"

#include <gmock/gmock.h>

#include "proto/inputs/budget.h"
#include "tests/support/status_matchers.h"

namespace bitwright {
namespace {

using ::testing::ElementsAre;

v1::Goal MakeGoal(const std::string& target, const std::string& budget, const std::string& consumer = "") {
  v1::Goal goal;
  goal.set_target(target);
  goal.set_consumer(consumer);
  *goal.mutable_budget() = *ParseBudget(budget);
  return goal;
}

TEST(Goals, OneStandsInTheJobsOwnFields) {
  v1::JobSpec spec;
  SetGoals(std::vector{MakeGoal("gguf", "4bpw", "llama.cpp")}, spec);
  EXPECT_EQ(spec.target(), "gguf");
  EXPECT_EQ(spec.consumer(), "llama.cpp");
  EXPECT_EQ(spec.budget().average_bits(), 4);
  EXPECT_TRUE(spec.goals().empty());
  ASSERT_EQ(GoalsOf(spec).size(), 1u);
  EXPECT_EQ(GoalsOf(spec)[0].SerializeAsString(), MakeGoal("gguf", "4bpw", "llama.cpp").SerializeAsString());
  SetGoals(std::vector{MakeGoal("gguf", "4bpw"), MakeGoal("gptq", "4bpw")}, spec);
  EXPECT_FALSE(spec.has_budget());
  EXPECT_EQ(spec.target() + spec.consumer(), "");
  EXPECT_EQ(GoalsOf(spec)[1].target(), "gptq");
}

TEST(Goals, NamesAreShortAndDifferent) {
  EXPECT_THAT(GoalNames(std::vector{MakeGoal("gguf", "4bpw"), MakeGoal("gguf", "kld=0.05")}),
              ElementsAre("4bpw", "kld=0.05"));
  EXPECT_THAT(GoalNames(std::vector{MakeGoal("", "4bpw"), MakeGoal("gguf", "12MB")}),
              ElementsAre("compressed-tensors-4bpw", "gguf-12MB"));
  EXPECT_THAT(GoalNames(std::vector{MakeGoal("gguf", "4bpw"), MakeGoal("gguf", "4bpw", "llama.cpp")}),
              ElementsAre("4bpw", "4bpw-llama.cpp"));
}

TEST(Goals, FoldersStayWhereTheyBelong) {
  EXPECT_EQ(GoalFolder("gguf-4.25bpw"), "gguf-4.25bpw");
  EXPECT_EQ(GoalFolder("kld=0.05"), "kld0.05");
  EXPECT_EQ(GoalFolder("ppl=1%"), "ppl1pct");
  EXPECT_EQ(GoalFolder("../../etc/x"), "_._.._etc_x");
  EXPECT_EQ(GoalFolder(".."), "_.");
}

// A service of before several goals says of the job what holds for its goal.
TEST(Goals, AnOlderServiceIsUnderstood) {
  v1::Job job;
  *job.mutable_spec()->mutable_budget() = *ParseBudget("4bpw");
  job.mutable_estimate()->set_artifact_bytes(7);
  job.mutable_estimate()->set_loadable(true);
  ASSERT_EQ(EstimatesOf(job).size(), 1u);
  EXPECT_EQ(EstimatesOf(job)[0].artifact_bytes(), 7);
  EXPECT_EQ(EstimatesOf(job)[0].goal().budget().average_bits(), 4);
  EXPECT_TRUE(EstimatesOf(job)[0].loadable());
  EXPECT_TRUE(OutcomesOf(job).empty()) << "it has not ended";
  job.set_state(v1::Job::SUCCEEDED);
  job.mutable_artifact()->add_files()->set_path("config.json");
  ASSERT_EQ(OutcomesOf(job).size(), 1u);
  EXPECT_EQ(OutcomesOf(job)[0].artifact().files(0).path(), "config.json");
}

TEST(Goals, EachHasItsEstimateAndItsOutcome) {
  v1::Job job;
  job.set_state(v1::Job::SUCCEEDED);
  SetGoals(std::vector{MakeGoal("gguf", "4bpw"), MakeGoal("gptq", "4bpw")}, *job.mutable_spec());
  for (const int64_t bytes : {5, 6}) {
    job.mutable_estimate()->add_goals()->set_artifact_bytes(bytes);
    job.add_outcomes()->mutable_report()->set_size_bytes(bytes);
  }
  EXPECT_EQ(EstimatesOf(job)[1].artifact_bytes(), 6);
  EXPECT_EQ(OutcomesOf(job)[1].report().size_bytes(), 6);
}

}  // namespace
}  // namespace bitwright
