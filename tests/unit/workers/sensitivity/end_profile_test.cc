#include "workers/sensitivity/end_profile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/small_model.h"
#include "tests/support/status_matchers.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/evaluate/summary.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/sensitivity/curvature.h"

namespace bitwright::worker {
namespace {

constexpr int64_t kWindow = 16, kWindows = 24, kVocab = 384, kHidden = 64;

class Ends : public ::testing::Test {
 protected:
  void SetUp() override {
    for (size_t i = 0; i < ids_.size(); ++i) ids_[i] = static_cast<int32_t>((i * i * 31 + i * 7) % 300);
    SmallModel small = SmallModel::Make(DType::kF32);
    auto config = nlohmann::json::parse(small.config);
    config["tie_word_embeddings"] = false;
    small.config = config.dump();
    SmallModel::Tensor head = SmallModel::Make(DType::kF32, 2).tensors.at("model.embed_tokens.weight");
    small.tensors["lm_head.weight"] = std::move(head);
    ASSERT_OK_AND_ASSIGN(Model model, Model::Open(small.Write(dir_.path())));
    model_.emplace(std::move(model));
    runner_.emplace(*model_, kWindow, Compute::kF32, *device_);
  }

  absl::StatusOr<CurvatureResult> Curvature(GradientOptions options = {}) {
    return RunCurvature(*runner_, ids_, std::move(options), [](double) {});
  }

  // The final hidden states, with another embedding where one is given.
  DeviceMatrix Hidden(const TableSource* embedding = nullptr) {
    DeviceMatrix x = runner_->Embed(ids_, embedding);
    BITWRIGHT_EXPECT_OK(runner_->RunBlocks(0, 2, x.view()));
    model_->FinalNorm(*device_, x.view());
    return x;
  }

  absl::StatusOr<EndFiles> Files() {
    auto curvature = Curvature();
    if (!curvature.ok()) return curvature.status();
    const auto written = WriteEnds(dir_ / "ends", curvature->ends, static_cast<int64_t>(ids_.size()));
    if (!written.ok()) return written;
    return EndFiles::Open({dir_ / "ends"});
  }

  const TempDir dir_;
  ThreadPool pool_{2};
  std::unique_ptr<Device> device_ = MakeCpuDevice(pool_);
  std::vector<int32_t> ids_ = std::vector<int32_t>(kWindow * kWindows);
  std::optional<Model> model_;
  std::optional<BlockRunner> runner_;
};

TEST_F(Ends, AreTwoUnitsOrOneWhereTheyAreOneTensor) {
  const auto two = EndUnits(*model_);
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0].unit.name, "model.embed_tokens");
  EXPECT_TRUE(two[0].embeds && !two[0].heads && !two[1].embeds && two[1].heads);
  EXPECT_EQ(two[1].unit.linears[0].out, kVocab);
  EXPECT_EQ(two[1].unit.linears[0].in, kHidden);
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Model tied, Model::Open(SmallModel::Make().Write(dir.path())));
  const auto one = EndUnits(tied);
  ASSERT_EQ(one.size(), 1u);
  EXPECT_TRUE(one[0].embeds && one[0].heads);
}

TEST_F(Ends, RowsOfTheHeadAreTheVarianceOfLabels) {
  ASSERT_OK_AND_ASSIGN(const CurvatureResult result, Curvature());
  const DeviceMatrix x = Hidden();
  const DeviceMatrix logits(*device_, DType::kF32, x.view().rows, kVocab);
  OutputHead(*runner_).Logits(x.view(), logits.view());
  const std::vector<float> values = Values(*device_, logits.view());
  std::vector<double> expected(kVocab);
  const auto tokens = static_cast<int64_t>(ids_.size());
  for (int64_t t = 0; t < tokens; ++t) {
    double sum = 0;
    for (int64_t v = 0; v < kVocab; ++v) sum += std::exp(double{values[static_cast<size_t>(t * kVocab + v)]});
    for (int64_t v = 0; v < kVocab; ++v) {
      const double p = std::exp(double{values[static_cast<size_t>(t * kVocab + v)]}) / sum;
      expected[static_cast<size_t>(v)] += p * (1 - p) / static_cast<double>(tokens);
    }
  }
  for (size_t v = 0; v < expected.size(); ++v) {
    EXPECT_NEAR(result.ends.head_rows[v], expected[v], 1e-4 * expected[v]) << v;
  }
  const std::vector<float> inputs = Values(*device_, x.view());
  double first = 0;
  for (int64_t t = 0; t < tokens; ++t) {
    const auto at = static_cast<size_t>(t * kHidden);
    first += double{inputs[at + 1]} * inputs[at + 3] / static_cast<double>(tokens);
  }
  EXPECT_NEAR(result.ends.head->second_moment[PackedTriangleIndex(kHidden, 1, 3)], first,
              1e-4 * std::abs(first) + 1e-6);
}

TEST_F(Ends, TheEmbeddingHasTheMomentOfTheGradientThatReachesIt) {
  ASSERT_OK_AND_ASSIGN(const CurvatureResult result, Curvature());
  const std::vector<float> gradients = Values(*device_, result.entering.view());
  for (const auto& [i, j] : {std::pair{0, 0}, {3, 17}, {63, 63}}) {
    double expected = 0;
    for (size_t t = 0; t < ids_.size(); ++t) {
      expected += double{gradients[t * kHidden + static_cast<size_t>(i)]} *
                  gradients[t * kHidden + static_cast<size_t>(j)] / static_cast<double>(ids_.size());
    }
    EXPECT_NEAR(result.ends.embedding->second_moment[PackedTriangleIndex(kHidden, i, j)], expected,
                1e-4 * std::abs(expected) + 1e-9);
  }
}

TEST_F(Ends, RangesOfBlocksHaveTheirOwnEndAndFilesBringThemTogether) {
  ASSERT_OK_AND_ASSIGN(const CurvatureResult whole, Curvature());
  GradientOptions options;
  options.begin = 1;
  options.entering = runner_->Embed(ids_);
  BITWRIGHT_ASSERT_OK(runner_->RunBlocks(0, 1, options.entering.view()));
  ASSERT_OK_AND_ASSIGN(CurvatureResult last, Curvature(std::move(options)));
  EXPECT_FALSE(last.ends.embedding);
  options = {};
  options.end = 1;
  options.leaving = std::move(last.entering);
  ASSERT_OK_AND_ASSIGN(const CurvatureResult first, Curvature(std::move(options)));
  EXPECT_FALSE(first.ends.head);
  const auto tokens = static_cast<int64_t>(ids_.size());
  BITWRIGHT_ASSERT_OK(WriteEnds(dir_ / "first", first.ends, tokens));
  BITWRIGHT_ASSERT_OK(WriteEnds(dir_ / "last", last.ends, tokens));
  ASSERT_OK_AND_ASSIGN(const EndFiles files, EndFiles::Open({dir_ / "first", dir_ / "last"}));
  ASSERT_OK_AND_ASSIGN(const InputStatistics embedding, files.EmbeddingMoment(kHidden));
  ASSERT_OK_AND_ASSIGN(const InputStatistics head, files.HeadMoment(kHidden));
  EXPECT_EQ(embedding.rows, tokens);
  EXPECT_TRUE(std::ranges::equal(embedding.second_moment.span(), whole.ends.embedding->second_moment.span()));
  EXPECT_TRUE(std::ranges::equal(head.second_moment.span(), whole.ends.head->second_moment.span()));
  ASSERT_OK_AND_ASSIGN(const EndFiles half, EndFiles::Open({dir_ / "first"}));
  EXPECT_THAT(half.HeadMoment(kHidden), HasReason("CURVATURE_DAMAGED")) << "it is in none of the files";
  EXPECT_THAT(half.EmbeddingMoment(kHidden + 1), HasReason("CURVATURE_DAMAGED"));
}

// What is predicted of one end is about what the whole model loses by it.
TEST_F(Ends, PredictionsAreNearWhatIsMeasured) {
  ASSERT_OK_AND_ASSIGN(const EndFiles files, Files());
  ProfileOptions options;
  const std::vector<Format> formats = {BlockType::kQ4_0, BlockType::kQ5_0, BlockType::kQ8_0};
  options.formats = [&](const UnitSpec&) { return formats; };
  ASSERT_OK_AND_ASSIGN(const auto profiles, ProfileEnds(*model_, *device_, files, ids_, options, [](double) {}));
  ASSERT_EQ(profiles.size(), 2u);
  const DeviceMatrix base = Hidden();
  const std::vector<EndUnit> ends = EndUnits(*model_);
  for (size_t e = 0; e < ends.size(); ++e) {
    ASSERT_EQ(profiles[e].options.size(), 3u);
    EXPECT_GT(profiles[e].options[0].predicted, 2 * profiles[e].options[1].predicted);
    EXPECT_GT(profiles[e].options[1].predicted, 10 * profiles[e].options[2].predicted);
    ASSERT_OK_AND_ASSIGN(const InputStatistics moment, EndMoment(ends[e], files, model_->config()));
    RoundingOptions rounding = options.rounding;
    rounding.steps = rounding.priced_steps;
    ASSERT_OK_AND_ASSIGN(const UnitRounder rounder, UnitRounder::Create(moment, rounding, *device_));
    const DeviceMatrix table(*device_, DType::kF32, kVocab, kHidden);
    LoadEndRows(*model_, ends[e], 0, *device_, table.view());
    const QuantizedLinear quantized = rounder.Round(table.view(), table.view(), formats[0]);
    WriteValues(quantized, formats[0], DType::kF32, *device_, table.view());
    TableSource source;
    source.rows = [&](int64_t first, const Matrix& to) { device_->Copy(table.view().Rows(first, to.rows), to); };
    source.rows_of = [&](std::span<const int32_t> ids, const Matrix& to) {
      device_->GatherRows(table.view(), ids, to);
    };
    const DeviceMatrix other = Hidden(ends[e].embeds ? &source : nullptr);
    HeadComparison head(*runner_, kMostHeadBytes, ends[e].heads ? &source : nullptr);
    const Matrix variants[] = {other.view()};
    const auto stats = head.Compare(base.view(), variants, ids_);
    ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats.front(), kWindow - 1));
    const double ratio = profiles[e].options[0].predicted / summary.kl.mean.value;
    EXPECT_GT(ratio, 0.6) << profiles[e].unit;
    EXPECT_LT(ratio, 1.7) << profiles[e].unit;
  }
}

}  // namespace
}  // namespace bitwright::worker
