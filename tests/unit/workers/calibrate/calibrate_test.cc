#include "tests/support/calibrated.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::vector<UnitStatistics>> CalibrateAll(const Model& model, std::span<const int32_t> ids,
                                                         int64_t window, int threads) {
  ThreadPool pool(threads);
  const auto device = MakeCpuDevice(pool);
  BlockRunner runner(model, window, Compute::kF32, *device);
  const DeviceMatrix x = runner.Embed(ids);
  return CalibrateAll(runner, 0, model.config().layers, x.view());
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
  std::map<std::string, const InputStatistics*> by_name;
  for (const UnitStatistics& unit : statistics) by_name[unit.unit] = &unit.input;
  size_t compared = 0;
  for (int64_t b = 0; b < model.config().layers; ++b) {
    for (const UnitSpec& unit : model.config().block(b).units) {
      for (size_t l = 0; l < unit.linears.size(); ++l) {
        const std::string& name = unit.linears[l].name;
        const InputStatistics& got = *by_name.at(unit.input(static_cast<int64_t>(l / unit.linears_of_expert())));
        ASSERT_OK_AND_ASSIGN(const auto moment, expected.Find("H/" + name));
        ASSERT_OK_AND_ASSIGN(const auto count, expected.Find("n/" + name));
        EXPECT_EQ(got.rows, Ids(count).front()) << name;
        const std::vector<float> h = Floats(moment);
        const Buffer<float> full = got.Full();
        ASSERT_EQ(static_cast<int64_t>(h.size()), full.size());
        double largest = 0, error = 0;
        for (size_t i = 0; i < h.size(); ++i) {
          largest = std::max(largest, std::fabs(double{h[i]}));
          error = std::max(error, std::fabs(double{h[i]} - full[static_cast<int64_t>(i)]));
        }
        EXPECT_LE(error / largest, 1e-5) << name;
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, static_cast<size_t>(4 * model.config().layers));
}

INSTANTIATE_TEST_SUITE_P(All, SecondMomentFixture, ::testing::Values("llama-gqa", "qwen3", "gemma2", "gpt2", "mixtral"),
                         [](const auto& info) {
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

TEST(SecondMoment, MatchesTheDefinition) {
  ThreadPool pool(2);
  const int64_t n = 300, rows = 70;  // more than one tile
  std::vector<float> x(static_cast<size_t>(n * rows));
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 0.7f) * static_cast<float>(i % 5);
  const auto device = MakeCpuDevice(pool);
  const DeviceMatrix all(*device, DType::kF32, rows, n);
  device->Write(x, all.view());
  SecondMoment moment(n, *device);
  moment.Add(all.view().Rows(0, 40));
  moment.Add(all.view().Rows(40, 30));
  const InputStatistics got = moment.Finish();
  for (const auto& [i, j] : {std::pair{0, 0}, {3, 299}, {257, 258}, {299, 299}, {10, 270}}) {
    double sum = 0;
    for (int64_t r = 0; r < rows; ++r)
      sum += double{x[static_cast<size_t>(r * n + i)]} * x[static_cast<size_t>(r * n + j)];
    EXPECT_NEAR(got.second_moment[PackedTriangleIndex(n, i, j)], sum / rows, 1e-5);
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
  const auto device = MakeCpuDevice(pool);
  const int64_t n = 40;
  std::vector<float> x(static_cast<size_t>(n * 90));
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::cos(static_cast<float>(i) * 1.3f);
  const auto of = [&](int64_t begin, int64_t end) {
    const DeviceMatrix rows(*device, DType::kF32, end - begin, n);
    device->Write({x.data() + begin * n, static_cast<size_t>((end - begin) * n)}, rows.view());
    SecondMoment moment(n, *device);
    moment.Add(rows.view());
    std::vector<UnitStatistics> units;
    units.push_back({"u", moment.Finish()});
    return units;
  };
  BITWRIGHT_ASSERT_OK(WriteStatistics(dir / "0", of(0, 50)));
  BITWRIGHT_ASSERT_OK(WriteStatistics(dir / "1", of(50, 90)));
  std::vector<StatisticsFile> shards;
  for (const char* name : {"0", "1"}) {
    ASSERT_OK_AND_ASSIGN(StatisticsFile file, StatisticsFile::Open(dir / name));
    shards.push_back(std::move(file));
  }
  ASSERT_OK_AND_ASSIGN(const auto inputs, InputsOf(shards.front()));
  ASSERT_OK_AND_ASSIGN(StatisticsWriter writer, StatisticsWriter::Create(dir / "merged", inputs));
  BITWRIGHT_ASSERT_OK(MergeStatistics(shards, [&](const InputStatistics& input) { return writer.Append(input); }));
  BITWRIGHT_ASSERT_OK(writer.Close());
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
