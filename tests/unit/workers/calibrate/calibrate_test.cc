#include "workers/calibrate/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::vector<UnitStatistics>> CalibrateAll(const Model& model, std::span<const int32_t> ids,
                                                         int64_t window, int threads) {
  ThreadPool pool(threads);
  WindowRunner runner(model, window, Compute::kF32, pool);
  std::vector<float> x(ids.size() * static_cast<size_t>(model.config().hidden));
  runner.Embed(ids, x.data());
  const int64_t windows = static_cast<int64_t>(ids.size()) / window;
  return Calibrate(runner, 0, model.config().layers, windows, x.data(), [](double) {});
}

class SecondMomentFixture : public ::testing::TestWithParam<std::string> {};

TEST_P(SecondMomentFixture, AgreesWithTransformers) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string dir = *shared + "/fixtures/models/" + GetParam();
  ASSERT_OK_AND_ASSIGN(const auto expected, SafetensorsFile::Open(dir + "/expected.safetensors", "expected"));
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(dir)));
  ASSERT_OK_AND_ASSIGN(const auto input, expected.Find("input_ids"));
  ASSERT_OK_AND_ASSIGN(const auto statistics, CalibrateAll(model, Ids(input), input.shape[1], 2));
  ASSERT_EQ(statistics.size(), static_cast<size_t>(4 * model.config().layers));
  size_t compared = 0;
  for (int64_t b = 0; b < model.config().layers; ++b) {
    const BlockSpec block = DescribeBlock(model.config(), b);
    for (size_t u = 0; u < block.units.size(); ++u) {
      const InputStatistics& got = statistics[static_cast<size_t>(4 * b) + u].input;
      for (const LinearSpec& linear : block.units[u].linears) {
        ASSERT_OK_AND_ASSIGN(const auto moment, expected.Find("H/" + linear.name));
        const std::vector<float> h = Floats(moment);
        const Buffer<float> full = got.Full();
        ASSERT_EQ(static_cast<int64_t>(h.size()), full.size());
        double largest = 0, error = 0;
        for (size_t i = 0; i < h.size(); ++i) {
          largest = std::max(largest, std::fabs(double{h[i]}));
          error = std::max(error, std::fabs(double{h[i]} - full[static_cast<int64_t>(i)]));
        }
        EXPECT_LE(error / largest, 1e-5) << linear.name;
        EXPECT_EQ(got.rows, input.elements());
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, static_cast<size_t>(7 * model.config().layers));
}

INSTANTIATE_TEST_SUITE_P(All, SecondMomentFixture, ::testing::Values("llama-gqa", "qwen3"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Calibrate, ThreadsChangeNoBit) {
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(SourcePath("deploy/sample"))));
  std::vector<int32_t> ids(6 * 48);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i * 37 % 4096);
  ASSERT_OK_AND_ASSIGN(const auto one, CalibrateAll(model, ids, 48, 1));
  ASSERT_OK_AND_ASSIGN(const auto five, CalibrateAll(model, ids, 48, 5));
  for (size_t u = 0; u < one.size(); ++u) {
    const auto a = one[u].input.second_moment.span(), b = five[u].input.second_moment.span();
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end())) << one[u].unit;
  }
}

TEST(SecondMoments, MatchesTheDefinition) {
  ThreadPool pool(2);
  const int64_t n = 300, rows = 70;  // more than one tile
  std::vector<float> x(static_cast<size_t>(n * rows));
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 0.7f) * static_cast<float>(i % 5);
  SecondMoments moments({n}, pool);
  const float* first[] = {x.data()};
  const float* second[] = {x.data() + 40 * n};
  moments.Add(first, 40);
  moments.Add(second, 30);
  const auto got = moments.Finish();
  for (const auto& [i, j] : {std::pair{0, 0}, {3, 299}, {257, 258}, {299, 299}, {10, 270}}) {
    double sum = 0;
    for (int64_t r = 0; r < rows; ++r)
      sum += double{x[static_cast<size_t>(r * n + i)]} * x[static_cast<size_t>(r * n + j)];
    EXPECT_NEAR(got[0].second_moment[PackedTriangleIndex(n, i, j)], sum / rows, 1e-5);
  }
}

TEST(PackedTriangle, OrderIsTheInverseOfSize) {
  for (const int64_t n : {int64_t{1}, int64_t{2}, int64_t{3}, int64_t{512}, int64_t{65537}, int64_t{1} << 31}) {
    EXPECT_EQ(PackedTriangleOrder(PackedTriangleSize(n)), n);
    EXPECT_EQ(PackedTriangleOrder(PackedTriangleSize(n) + 1), std::nullopt) << n;
  }
  EXPECT_EQ(PackedTriangleOrder(0), std::nullopt);
  EXPECT_EQ(PackedTriangleOrder(-1), std::nullopt);
  EXPECT_EQ(PackedTriangleOrder(INT64_MAX), std::nullopt);
}

TEST(StatisticsFile, MergeOfShardsIsTheWhole) {
  TempDir dir;
  ThreadPool pool(1);
  const int64_t n = 40;
  std::vector<float> x(static_cast<size_t>(n * 90));
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i) * 1.3f);
  const auto of = [&](int64_t begin, int64_t end) {
    SecondMoments moments({n}, pool);
    const float* rows[] = {x.data() + begin * n};
    moments.Add(rows, end - begin);
    std::vector<UnitStatistics> units;
    units.push_back({"u", std::move(moments.Finish().front())});
    return units;
  };
  BITWRIGHT_ASSERT_OK(WriteStatistics(dir / "0", of(0, 50)));
  BITWRIGHT_ASSERT_OK(WriteStatistics(dir / "1", of(50, 90)));
  std::vector<StatisticsFile> shards;
  for (const char* name : {"0", "1"}) {
    ASSERT_OK_AND_ASSIGN(StatisticsFile file, StatisticsFile::Open(dir / name));
    shards.push_back(std::move(file));
  }
  BITWRIGHT_ASSERT_OK(MergeStatistics(shards, dir / "merged"));
  ASSERT_OK_AND_ASSIGN(const auto merged, StatisticsFile::Open(dir / "merged"));
  ASSERT_OK_AND_ASSIGN(const auto got, merged.Read("u"));
  const auto whole = of(0, 90);
  EXPECT_EQ(got.rows, 90);
  for (int64_t i = 0; i < PackedTriangleSize(n); ++i) {
    EXPECT_NEAR(got.second_moment[i], whole[0].input.second_moment[i], 1e-6);
  }
}

}  // namespace
}  // namespace bitwright::worker
