#include "workers/sensitivity/curvature.h"

#include <gtest/gtest.h>

#include "proto/base/status_macros.h"
#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/reference/reference_device.h"
#include "workers/sensitivity/curvature_file.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kWindow = 16;

std::vector<int32_t> SomeIds(int64_t windows) {
  std::vector<int32_t> ids(static_cast<size_t>(windows * kWindow));
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>((i * i * 31 + i * 7) % 384);
  return ids;
}

absl::StatusOr<CurvatureResult> CurvatureOf(const Model& model, Device& device, const std::vector<int32_t>& ids,
                                            GradientOptions options = {}, int64_t window = kWindow) {
  BlockRunner runner(model, window, Compute::kF32, device);
  return RunCurvature(runner, ids, std::move(options), [](double) {});
}

class CurvatureFixture : public ::testing::TestWithParam<std::string> {};

TEST_P(CurvatureFixture, IsTheDiagonalOfTransformersMoments) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string dir = *shared + "/fixtures/models/" + GetParam();
  ASSERT_OK_AND_ASSIGN(const auto expected, SafetensorsFile::Open(dir + "/expected.safetensors", "expected"));
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(dir)));
  ASSERT_OK_AND_ASSIGN(const auto input, expected.Find("input_ids"));
  ASSERT_OK_AND_ASSIGN(const auto labels, expected.Find("labels"));
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  GradientOptions options;
  options.labels = Ids(labels);
  ASSERT_OK_AND_ASSIGN(const auto result, CurvatureOf(model, *device, Ids(input), std::move(options), input.shape[1]));
  auto unit = result.units.begin();
  for (int64_t b = 0; b < model.config().layers; ++b) {
    for (const UnitSpec& spec : model.config().block(b).units) {
      ASSERT_EQ(unit->unit, spec.name);
      size_t row = 0;
      for (const LinearSpec& linear : spec.linears) {
        ASSERT_OK_AND_ASSIGN(const auto view, expected.Find("G/" + linear.name));
        const std::vector<float> moment = Floats(view);
        const size_t out = static_cast<size_t>(linear.out);
        const float largest = *std::max_element(moment.begin(), moment.end());
        for (size_t r = 0; r < out; ++r, ++row) {
          EXPECT_NEAR(unit->rows[row], moment[r * out + r], 1e-4 * largest) << linear.name << " " << r;
        }
      }
      ++unit;
    }
  }
  EXPECT_EQ(unit, result.units.end());
}

INSTANTIATE_TEST_SUITE_P(All, CurvatureFixture, ::testing::Values("llama-gqa", "qwen3"), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// An expert's G counts the tokens that went elsewhere as zeros: so G, sums over experts, and the loss per token of the
// whole text belong together.
TEST(Curvature, OfExpertsIsOverAllTokens) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(*shared + "/fixtures/models/mixtral")));
  ThreadPool pool(1);
  const auto device = MakeCpuDevice(pool);
  BlockRunner runner(model, kWindow, Compute::kF32, *device);
  std::vector<int32_t> ids = SomeIds(2);
  for (int32_t& id : ids) id %= static_cast<int32_t>(model.config().vocab);
  std::map<std::pair<int64_t, int>, std::vector<double>> squares;  // of block and matrix, experts one after the other
  const auto taps = [&](int64_t block, const BlockWeights& weights) {
    GradientTaps of_block;
    of_block.linear = [&, block, out = weights.program.units](const LinearGradient& linear) {
      if (linear.matrix >= static_cast<int>(out.size())) return;
      std::vector<double>& sums = squares[{block, linear.matrix}];
      sums.resize(static_cast<size_t>(out[static_cast<size_t>(linear.matrix)].out()));
      const std::vector<float> values = Values(*device, linear.gradient);
      const size_t columns = static_cast<size_t>(linear.gradient.columns);
      for (size_t i = 0; i < values.size(); ++i) {
        sums[static_cast<size_t>(linear.expert) * columns + i % columns] += double{values[i]} * values[i];
      }
    };
    return of_block;
  };
  ASSERT_THAT(RunGradients(runner, ids, {}, taps, [](double) {}), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto result, CurvatureOf(model, *device, ids));
  auto unit = result.units.begin();
  for (const auto& [place, sums] : squares) {
    ASSERT_EQ(unit->rows.size(), sums.size());
    for (size_t r = 0; r < sums.size(); ++r) {
      const double expected = sums[r] / static_cast<double>(ids.size());
      EXPECT_NEAR(unit->rows[r], expected, 1e-6 * expected) << unit->unit << " " << r;
    }
    ++unit;
  }
}

TEST(Curvature, AgreesWithPlainLoopsInF64) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(SmallModel::Make().Write(dir.path())));
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool), plain = MakeReferenceDevice();
  GradientOptions options, same;
  options.labels = same.labels = SomeIds(3);
  ASSERT_OK_AND_ASSIGN(const auto got, CurvatureOf(model, *device, SomeIds(3), std::move(options)));
  ASSERT_OK_AND_ASSIGN(const auto expected, CurvatureOf(model, *plain, SomeIds(3), std::move(same)));
  ASSERT_EQ(got.units.size(), 8);
  for (size_t u = 0; u < got.units.size(); ++u) {
    const float largest = *std::max_element(expected.units[u].rows.begin(), expected.units[u].rows.end());
    EXPECT_GT(largest, 0) << got.units[u].unit;
    for (size_t r = 0; r < got.units[u].rows.size(); ++r) {
      EXPECT_NEAR(got.units[u].rows[r], expected.units[u].rows[r], 1e-4 * largest) << got.units[u].unit << " " << r;
    }
  }
}

class CurvatureOnDisk : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::vector<UnitCurvature>& units, int64_t tokens) {
    EXPECT_THAT(WriteCurvature(dir_ / name, units, tokens), IsOk());
    return dir_ / name;
  }
  absl::StatusOr<std::vector<double>> Rows(const std::vector<std::string>& paths, int64_t out) {
    ABSL_ASSIGN_OR_RETURN(const CurvatureFiles files, CurvatureFiles::Open(paths));
    return files.Rows("u", out);
  }
  TempDir dir_;
};

TEST_F(CurvatureOnDisk, ShardsWeighByTheirTokens) {
  const std::string one = Write("one", {{"u", {1, 2}}, {"v", {5}}}, 10), two = Write("two", {{"u", {4, 8}}}, 30);
  ASSERT_OK_AND_ASSIGN(const auto rows, Rows({one, two}, 2));
  EXPECT_DOUBLE_EQ(rows[0], 0.25 * 1 + 0.75 * 4);
  EXPECT_DOUBLE_EQ(rows[1], 0.25 * 2 + 0.75 * 8);
}

TEST_F(CurvatureOnDisk, DamageIsNamed) {
  EXPECT_THAT(Rows({Write("short", {{"u", {1}}}, 10)}, 2), HasReason("CURVATURE_DAMAGED"));
  EXPECT_THAT(Rows({Write("below", {{"u", {1, -1}}}, 10)}, 2), HasReason("CURVATURE_DAMAGED"));
  EXPECT_THAT(Rows({Write("nan", {{"u", {1, NAN}}}, 10)}, 2), HasReason("CURVATURE_DAMAGED"));
  EXPECT_THAT(Rows({Write("none", {{"u", {1, 1}}}, 0)}, 2), HasReason("CURVATURE_DAMAGED"));
  EXPECT_THAT(Rows({Write("other", {{"w", {1, 1}}}, 10)}, 2), HasReason("TENSOR_MISSING"));
}

}  // namespace
}  // namespace bitwright::worker
