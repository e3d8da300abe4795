#include "server/jobs/cuts.h"

#include <gtest/gtest.h>

#include <random>

#include "server/jobs/costs.h"
#include "tests/unit/server/jobs/sample_jobs.h"

namespace bitwright::server {
namespace {

constexpr Shape kSevenB{32, 4096, 11008, 4096, 32000, 4096};

void ExpectCovers(const std::vector<Cut>& cuts, int size) {
  int at = 0;
  for (const Cut& cut : cuts) {
    EXPECT_EQ(cut.begin, at);
    EXPECT_GT(cut.size(), 0);
    at = cut.end;
  }
  EXPECT_EQ(at, size);
}

TEST(Cuts, SevenBillionWeightsHaveOneShardAndRangesOfTwoGiB) {
  const ResolvedJob job = Job(kSevenB);
  const auto& info = job.model->info();
  EXPECT_NEAR(static_cast<double>(info.statistics_bytes()) / info.tensor_bytes(), 0.8, 0.1);
  const Cuts cuts = CutJob(info, job.recipe, 128, 512, {64});
  EXPECT_EQ(cuts.shards.size(), 1);
  ExpectCovers(cuts.shards, 128);
  ExpectCovers(cuts.ranges, 32);
  EXPECT_GT(cuts.ranges.size(), 1);
  for (const Cut& range : cuts.ranges) EXPECT_LE(range.size() * info.largest_block_bytes(), kRangeBytes);
  EXPECT_EQ(cuts.evaluation.size(), 4);
}

TEST(Cuts, SmallStatisticsAreShardedWithinTheTensorsBytes) {
  v1::ModelInfo info = Info({});
  info.set_tensor_bytes(10 * info.statistics_bytes());
  EXPECT_EQ(TokenShards(info, 128), 8);   // no shard below 16 windows
  EXPECT_EQ(TokenShards(info, 1000), 9);  // and their merge
  EXPECT_EQ(TokenShards(info, 15), 1);
  info.set_tensor_bytes(3 * info.statistics_bytes());
  EXPECT_EQ(TokenShards(info, 128), 2);
  info.set_tensor_bytes(3 * info.statistics_bytes() - 1);
  EXPECT_EQ(TokenShards(info, 128), 1);
}

TEST(Cuts, WhatElseIsInTheFolderCutsNothing) {
  ResolvedJob job = Job(kSevenB);
  const Cuts cuts = CutJob(job.model->info(), job.recipe, 128, 512, {64});
  auto model = std::make_shared<v1::Model>(*job.model);
  model->mutable_info()->set_model_bytes(100 * model->info().model_bytes());
  job.model = model;
  const Cuts more = CutJob(job.model->info(), job.recipe, 128, 512, {64});
  EXPECT_EQ(cuts.shards, more.shards);
  EXPECT_EQ(cuts.ranges, more.ranges);
}

TEST(Cuts, EverythingIsCoveredOnceAndProfilesStayWithinRanges) {
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
    const ResolvedJob job = Job({pick(1, 90), 32 * pick(1, 250), 32 * pick(1, 800), 64, pick(100, 200'000), 4096});
    const int calibration = pick(1, 400);
    const int evaluation = pick(1, 400);
    const Cuts cuts = CutJob(job.model->info(), job.recipe, calibration, 512, {evaluation, 5});
    ExpectCovers(cuts.shards, calibration);
    ExpectCovers(cuts.ranges, job.model->info().blocks());
    std::vector<Cut> first;
    for (const EvaluationCut& cut : cuts.evaluation) {
      if (cut.text == 0) first.push_back(cut.windows);
    }
    ExpectCovers(first, evaluation);
    ASSERT_EQ(cuts.evaluation.size(), first.size() + 1) << "no task has windows of two texts";
    EXPECT_EQ(cuts.evaluation.back().windows, (Cut{0, 5}));
    std::vector<Cut> profiles;
    const Costs costs(job.model->info(), *job.target(), job.recipe, 512);
    for (const ProfileCut& profile : CutProfiles(costs, cuts)) {
      profiles.push_back(profile.blocks);
      EXPECT_GE(profile.blocks.begin, cuts.ranges[profile.range].begin);
      EXPECT_LE(profile.blocks.end, cuts.ranges[profile.range].end);
      EXPECT_TRUE(profile.blocks.size() == 1 || costs.ProfileFlops(profile.blocks) <= kProfileFlops);
    }
    ExpectCovers(profiles, job.model->info().blocks());
    ExpectCovers(cuts.curvature, cuts.profile_windows);
    const auto& info = job.model->info();
    std::vector<int> checked;
    for (const CheckCut& check : cuts.checks) {
      for (const int unit : check.units) {
        checked.push_back(unit);
        EXPECT_GE(info.units(unit).block(), cuts.ranges[check.range].begin);
        EXPECT_LT(info.units(unit).block(), cuts.ranges[check.range].end);
      }
      const int windows = cuts.curvature[0].size();
      EXPECT_TRUE(check.units.size() == 1 ||
                  (costs.CheckFlops(cuts.ranges[check.range], check.units, windows) <= kProfileFlops &&
                   check.units.size() * costs.Measurements() * StreamBytes(info, windows, 512) <= kCheckBytes));
    }
    EXPECT_EQ(checked, CheckedUnits(info, job.recipe.sensitivity().checked_units()));
    const double handed_on = 4.0 * calibration * 512 * info.hidden_size();
    EXPECT_LE(handed_on * (cuts.ranges.size() - 1), kActivationShare * info.tensor_bytes());
    const bool one_more_is_too_many = handed_on * cuts.ranges.size() > kActivationShare * info.tensor_bytes();
    for (const Cut& range : cuts.ranges) {
      EXPECT_TRUE(one_more_is_too_many || range.size() == 1 ||
                  range.size() * info.largest_block_bytes() <= kRangeBytes);
    }
  }
}

TEST(Cuts, CheckedUnitsAreSpreadOverDepthAndKinds) {
  const v1::ModelInfo info = Info(kSevenB);  // four units in each of 32 blocks
  std::vector<int> blocks, kinds;
  for (const int unit : CheckedUnits(info, 8)) {
    blocks.push_back(unit / 4);
    kinds.push_back(unit % 4);
  }
  EXPECT_EQ(blocks, (std::vector<int>{2, 6, 10, 14, 18, 22, 26, 30}));
  EXPECT_EQ(kinds, (std::vector<int>{0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_EQ(CheckedUnits(Info({.blocks = 1}), 8), (std::vector<int>{0, 1, 2, 3})) << "all where there are fewer";
}

// The work of curvature, prices and checks together grows as the number of blocks does.
TEST(Cuts, ProfilingIsLinearInDepth) {
  const auto flops = [](int blocks) {
    const ResolvedJob job = Job({blocks, 576, 1536, 192, 49152, 2048});
    const auto& info = job.model->info();
    const Costs costs(info, *job.target(), job.recipe, 512);
    const Cuts cuts = CutJob(info, job.recipe, 128, 512, {64});
    double sum = 0;
    for (const Cut& range : cuts.ranges) {
      for (const Cut& shard : cuts.curvature) sum += costs.CurvatureFlops(range, shard.size());
    }
    for (const ProfileCut& profile : CutProfiles(costs, cuts)) sum += costs.ProfileFlops(profile.blocks);
    for (const CheckCut& check : cuts.checks) {
      sum += costs.CheckFlops(cuts.ranges[check.range], check.units, cuts.curvature[0].size());
    }
    return sum;
  };
  EXPECT_LE(flops(64), 2 * flops(32));
  EXPECT_LE(flops(128), 2 * flops(64));
}

// Two blocks in f32, activations and 1 GiB, as the design allows.
TEST(Cuts, MemoryOfASevenBillionModelStaysBelowTwoBlocksAndActivations) {
  const ResolvedJob job = Job(kSevenB);
  const LiveSets live(job.model->info(), job.recipe.rounding());
  const int64_t blocks = 8 * job.model->info().block_parameters();
  const int64_t activations = 4 * 65536 * 4096LL;
  EXPECT_LT(live.Calibrate(128, 512, v1::COMPUTE_TYPE_F32, true).On(2), blocks + 6 * activations + (int64_t{1} << 30));
  EXPECT_LT(live.Evaluate(16, 512, v1::COMPUTE_TYPE_F32).On(2), blocks + 3 * activations + (int64_t{1} << 30));
}

}  // namespace
}  // namespace bitwright::server
