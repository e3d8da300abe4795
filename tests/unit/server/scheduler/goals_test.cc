#include <string>
#include <vector>

#include "server/jobs/goals.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/rig.h"

namespace bitwright::server {
namespace {

// Two sizes and a bound of quality.
std::vector<v1::Goal> SomeGoals() {
  std::vector<v1::Goal> goals(3);
  goals[0].mutable_budget()->set_average_bits(4.25);
  goals[1].mutable_budget()->set_average_bits(3);
  goals[2].mutable_budget()->set_max_kl_divergence(0.3);
  for (v1::Goal& goal : goals) goal.set_target("compressed-tensors");
  return goals;
}

v1::JobSpec SpecOf(Rig& rig, const v1::Model& model, const std::vector<v1::Goal>& goals) {
  v1::JobSpec spec = rig.Spec(model.name());
  *spec.add_choices()->mutable_blob() = ToProto(rig.Put("questions"));
  spec.mutable_sample()->set_tokens(4);
  spec = WithGoal(std::move(spec), goals[0]);
  if (goals.size() == 1) return spec;
  spec = WithGoal(std::move(spec), {});
  for (const v1::Goal& goal : goals) *spec.add_goals() = goal;
  return spec;
}

v1::Job Get(Rig& rig, const v1::Job& job) {
  const auto now = rig.jobs->Get(kCaller, job.name());
  EXPECT_THAT(now, IsOk());
  EXPECT_EQ(now->state(), v1::Job::SUCCEEDED) << now->DebugString();
  return *now;
}

TEST(JobGoals, EachComesToAnArtifactAndAReport) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const v1::Job queued = rig.CreateJob(SpecOf(rig, model, SomeGoals()));
  ASSERT_EQ(queued.estimate().goals_size(), 3);
  rig.RunAll(rig.AddWorker());
  const v1::Job job = Get(rig, queued);
  ASSERT_EQ(job.outcomes_size(), 3);
  EXPECT_EQ(job.artifact().SerializeAsString(), job.outcomes(0).artifact().SerializeAsString());
  EXPECT_EQ(job.report().sha256(), job.outcomes(0).report().sha256());
  for (int g = 0; g < 3; ++g) {
    EXPECT_EQ(job.outcomes(g).goal().SerializeAsString(), job.spec().goals(g).SerializeAsString());
    for (int other = 0; other < g; ++other) {
      EXPECT_NE(job.outcomes(g).artifact().SerializeAsString(), job.outcomes(other).artifact().SerializeAsString());
    }
    BITWRIGHT_EXPECT_OK(rig.jobs->Report(kCaller, job.name(), g));
    ASSERT_OK_AND_ASSIGN(const BlobDigest file, FromProto(job.outcomes(g).artifact().files(0).digest()));
    BITWRIGHT_EXPECT_OK(rig.held->ReadWhole(file));
  }
  for (const char* line : {"bitwright_artifacts_total{target=\"compressed-tensors\",verdict=\"bound_met\"} 1",
                           "bitwright_artifact_kl_divergence_nats_sum{target=\"compressed-tensors\"} 0.75",
                           "bitwright_artifact_average_bits_sum{target=\"compressed-tensors\"} 12"}) {
    EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr(line));
  }
  EXPECT_THAT(rig.jobs->Report(kCaller, job.name(), 3), HasReason("GOAL_UNKNOWN"));
  EXPECT_THAT(rig.jobs->Report(kCaller, job.name(), -1), HasReason("GOAL_UNKNOWN"));
}

// Nothing in a goal's report says that there were others.
TEST(JobGoals, AReportIsThatOfAJobOfThisGoalAlone) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  const v1::Job all = rig.CreateJob(SpecOf(rig, model, SomeGoals()));
  rig.RunAll(worker);
  const v1::Job of_all = Get(rig, all);
  for (int g = 0; g < 3; ++g) {
    const v1::Job alone = rig.CreateJob(SpecOf(rig, model, {SomeGoals()[static_cast<size_t>(g)]}));
    EXPECT_EQ(rig.RunAll(worker), 0) << "all of it was done";
    const v1::Job of_one = Get(rig, alone);
    EXPECT_EQ(of_one.artifact().SerializeAsString(), of_all.outcomes(g).artifact().SerializeAsString());
    ASSERT_OK_AND_ASSIGN(const v1::Report expected, rig.jobs->Report(kCaller, alone.name(), 0));
    ASSERT_OK_AND_ASSIGN(const v1::Report report, rig.jobs->Report(kCaller, all.name(), g));
    EXPECT_GT(report.provenance().tasks_size(), 10);
    EXPECT_EQ(report.SerializeAsString(), expected.SerializeAsString()) << g;
  }
}

// Of three goals of one target what is shared runs once.
TEST(JobGoals, WhatIsSharedRunsOnce) {
  Rig rig;
  const v1::Model model = rig.ReadyModel();
  const std::string worker = rig.AddWorker();
  rig.CreateJob(SpecOf(rig, model, {SomeGoals()[0]}));
  const int one = rig.RunAll(worker);
  const v1::Model other = rig.ReadyModel("b");
  const v1::Job job = rig.CreateJob(SpecOf(rig, other, {SomeGoals()[0], SomeGoals()[1]}));
  const int two = rig.RunAll(worker);
  EXPECT_LT(two, 2 * one);
  std::map<std::string, int> tasks;
  const v1::Job done = Get(rig, job);
  for (const v1::Stage& stage : done.stages()) tasks[stage.kind()] = stage.tasks();
  EXPECT_EQ(tasks["calibrate"], 1);
  EXPECT_EQ(tasks["profile"], 1);
  EXPECT_EQ(tasks["allocate"], 2);
  EXPECT_EQ(tasks["report"], 2);
}

// Wherever the server dies, all goals come to the same.
TEST(JobGoals, ARestartLosesNoGoal) {
  std::string expected;
  for (const int before : {0, 3, 12, 25, 40}) {
    Rig rig;
    const v1::Job queued = rig.CreateJob(SpecOf(rig, rig.ReadyModel(), SomeGoals()));
    rig.RunAll(rig.AddWorker(), before);
    rig.Restart();
    rig.RunAll(rig.AddWorker());
    const v1::Job job = Get(rig, queued);
    std::string found;
    for (const v1::Outcome& outcome : job.outcomes()) found += outcome.artifact().SerializeAsString();
    if (expected.empty()) expected = found;
    EXPECT_EQ(found, expected) << before;
  }
}

TEST(JobGoals, AFilterByTargetMeansAnyOfThem) {
  Rig rig;
  rig.CreateJob(SpecOf(rig, rig.ReadyModel(), SomeGoals()));
  v1::ListJobsRequest request;
  for (const auto& [filter, jobs] : {std::pair("target = \"compressed-tensors\"", 1), {"target = \"gguf\"", 0}}) {
    request.set_filter(filter);
    ASSERT_OK_AND_ASSIGN(const auto found, rig.jobs->List(kCaller, request));
    EXPECT_EQ(found.jobs_size(), jobs) << filter;
  }
}

TEST(JobGoals, ABoundThatNoPlanMeetsFailsTheJobAndSaysWhatWasMeasured) {
  Rig rig;
  std::vector<v1::Goal> goals = SomeGoals();
  goals[2].mutable_budget()->set_max_kl_divergence(0.01);
  const v1::Job queued = rig.CreateJob(SpecOf(rig, rig.ReadyModel(), goals));
  rig.RunAll(rig.AddWorker());
  ASSERT_OK_AND_ASSIGN(const v1::Job job, rig.jobs->Get(kCaller, queued.name()));
  EXPECT_EQ(job.state(), v1::Job::FAILED);
  EXPECT_THAT(job.error().message(), ::testing::HasSubstr("the largest was measured at 0.2"));
  EXPECT_THAT(rig.metrics->Text(), ::testing::HasSubstr("bitwright_jobs_failed_total{reason=\"BOUND_NOT_MET\"} 1"));
}

}  // namespace
}  // namespace bitwright::server
