#include <gtest/gtest.h>

#include "server/jobs/estimate.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

constexpr Shape kTypical[] = {
    {30, 576, 1536, 192, 49152, 8192},        // 135 M weights
    {24, 896, 4864, 128, 151936, 32768},      // 0.5 B
    {16, 2048, 8192, 512, 128256, 131072},    // 1 B
    {32, 4096, 11008, 4096, 32000, 4096},     // 7 B
    {28, 3584, 18944, 512, 152064, 32768},    // 7 B with wide MLPs
    {32, 4096, 14336, 1024, 128256, 8192},    // 8 B
    {80, 8192, 28672, 1024, 128256, 131072},  // 70 B
};

// Hidden states of the evaluation data are left out: they grow with the data alone (4·hidden bytes per token).
TEST(Estimate, IntermediateBlobsStayWithinThreeTimesTheModel) {
  for (const Shape& shape : kTypical) {
    const ResolvedJob job = Job(shape);
    const v1::Estimate estimate = EstimateJob(job, 1e11);
    const int64_t evaluation = 4 * shape.hidden * job.spec.evaluation(0).tokens();
    EXPECT_LE(estimate.intermediate_bytes() - evaluation, 3 * job.model->info().model_bytes())
        << shape.blocks << " × " << shape.hidden;
  }
}

TEST(Estimate, NumbersFollowTheBudget) {
  ResolvedJob job = Job({});
  const v1::Estimate small = EstimateJob(job, 1e11);
  job.goals[0].goal.mutable_budget()->set_average_bits(6);
  const v1::Estimate large = EstimateJob(job, 1e11);
  EXPECT_LT(small.artifact_bytes(), large.artifact_bytes());
  EXPECT_LE(large.artifact_bytes(), large.largest_artifact_bytes());
  EXPECT_GE(small.artifact_bytes(), small.smallest_artifact_bytes());
  EXPECT_TRUE(small.loadable());
  EXPECT_GT(small.tasks(), 10);
  EXPECT_GE(small.peak_memory_bytes(), int64_t{256} << 20);
  EXPECT_GT(small.thread_memory_bytes(), 0);
}

TEST(Estimate, OnADeviceTheHostKeepsPartOfALargeModel) {
  const v1::Estimate small = EstimateJob(Job({}), 1e11);
  EXPECT_GT(small.peak_device_memory_bytes(), 0);
  EXPECT_GT(small.peak_host_memory_bytes(), int64_t{1} << 30) << "a driver and its libraries";
  const v1::Estimate large = EstimateJob(Job({32, 4096, 14336, 1024, 128256, 8192}), 1e11);
  EXPECT_GT(large.peak_device_memory_bytes(), small.peak_device_memory_bytes());
  EXPECT_LE(large.peak_host_memory_bytes(), large.peak_memory_bytes() + (int64_t{1} << 30));
  EXPECT_LE(large.peak_device_memory_bytes(), large.peak_memory_bytes() + large.thread_memory_bytes());
  EXPECT_LE(large.peak_host_memory_bytes(), int64_t{8} << 30);
}

TEST(Estimate, AFasterWorkerNeedsLessTime) {
  const ResolvedJob job = Job({});
  EXPECT_LT(EstimateJob(job, 1e12).seconds(), EstimateJob(job, 1e10).seconds());
}

TEST(Estimate, AForecastFollowsTheFacts) {
  const ResolvedJob job = Job({});
  const CostForecast before = ForecastCosts(job, {});
  double sum = 0;
  for (const auto& [kind, weight] : before.weights) sum += weight;
  EXPECT_NEAR(before.total, sum, 1e-9 * sum);
  EXPECT_TRUE(before.weights.contains("report"));
  const CostForecast fewer = ForecastCosts(job, FactsAt(job, 2, 16, 16, 1));
  EXPECT_LT(fewer.total, before.total) << "less data and one candidate";
  EXPECT_GT(ForecastCosts(job, FactsAt(job, 2, 128, 64, 6)).weights.at("evaluate"), before.weights.at("evaluate"));
}

TEST(Estimate, AnArtifactBudgetIsTheArtifact) {
  ResolvedJob job = Job({});
  const int64_t bytes = EstimateJob(job, 1e11).smallest_artifact_bytes() + 100;
  job.goals[0].goal.mutable_budget()->set_artifact_bytes(bytes);
  EXPECT_EQ(EstimateJob(job, 1e11).artifact_bytes(), bytes);
}

}  // namespace
}  // namespace bitwright::server
