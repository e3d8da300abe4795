#include "server/jobs/estimate_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

void ExpectRight(EstimateCache& cache, const ResolvedJob& job) {
  const JobSize got = cache.Get(job);
  const JobSize want = SizeJob(job);
  EXPECT_EQ(got.estimate.SerializeAsString(), want.estimate.SerializeAsString());
  EXPECT_EQ(got.flops, want.flops);
}

TEST(EstimateCache, GivesWhatTheJobItselfGives) {
  EstimateCache cache;
  ResolvedJob job = Job({});
  for (int round = 0; round < 2; ++round) {
    for (const double bits : {3.0, 4.25, 6.0}) {
      job.goals[0].goal.mutable_budget()->set_average_bits(bits);
      ExpectRight(cache, job);
    }
  }
  job.spec.mutable_calibration(0)->set_tokens(job.spec.calibration(0).tokens() / 2);
  ExpectRight(cache, job);
  job.goals[0].recipe.mutable_candidates()->set_uniform(1);
  ExpectRight(cache, job);
  ResolvedJob other = Job({32, 4096, 11008, 4096, 32000, 4096});
  other.spec.set_model("models/other");
  ExpectRight(cache, other);
}

TEST(EstimateCache, FewAreKept) {
  EstimateCache cache;
  ResolvedJob job = Job({});
  for (size_t i = 0; i < 2 * EstimateCache::kMostKept; ++i) {
    job.spec.mutable_evaluation(0)->set_tokens(static_cast<int64_t>(4096 + 512 * i));
    ExpectRight(cache, job);
  }
}

}  // namespace
}  // namespace bitwright::server
