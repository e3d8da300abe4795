// The perplexities of the trained models, against those that transformers computed (models/reference.json).
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/evaluate/head_comparison.h"
#include "workers/evaluate/summary.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

class TrainedModel : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainedModel, PerplexityAgreesWithTransformers) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ASSERT_OK_AND_ASSIGN(const std::string reference_text, ReadFile(*shared + "/models/reference.json"));
  const auto reference = nlohmann::json::parse(reference_text)[GetParam()];
  const ModelFiles files = FilesOf(*shared + "/models/" + GetParam());
  ASSERT_OK_AND_ASSIGN(const std::string tokenizer_json, ReadFile(files.at("tokenizer.json").path));
  ASSERT_OK_AND_ASSIGN(const auto tokenizer, Tokenizer::Load(tokenizer_json));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(*shared + "/" + reference["text"].get<std::string>()));
  ASSERT_OK_AND_ASSIGN(std::vector<int32_t> ids, tokenizer->Encode(text, false));
  EXPECT_EQ(static_cast<int64_t>(ids.size()), reference["tokens_in_file"].get<int64_t>());

  const int64_t window = reference["window"], windows = reference["windows"];
  ids.resize(static_cast<size_t>(window * windows));
  ThreadPool pool(2);
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(files));
  const auto device = MakeCpuDevice(pool);
  BlockRunner runner(model, window, Compute::kF32, *device);
  const DeviceMatrix x = runner.Embed(ids);
  BITWRIGHT_ASSERT_OK(runner.RunBlocks(0, model.config().layers, x.view()));
  model.FinalNorm(*device, x.view());
  const Matrix same[] = {x.view()};
  // The smaller model's head is taken as too large to keep: the same numbers must come from its tiles.
  const int64_t most_head_bytes = GetParam() == std::string("sample") ? 0 : kMostHeadBytes;
  HeadComparison head(runner, most_head_bytes);
  const auto stats = head.Compare(x.view(), same, ids);
  ASSERT_OK_AND_ASSIGN(const EvaluationSummary summary, Summarize(stats.front(), 1));
  EXPECT_EQ(summary.tokens, reference["scored_tokens"].get<int64_t>());
  EXPECT_NEAR(summary.base.perplexity.value / reference["perplexity"].get<double>(), 1, 2e-4);
  EXPECT_NEAR(summary.base.mean_nll.standard_error / reference["mean_nll_standard_error"].get<double>(), 1, 1e-3);
  // The same hidden states against themselves: no divergence at all.
  EXPECT_EQ(summary.kl.max, 0);
  EXPECT_EQ(summary.top1_agreement.value, 1);
}

INSTANTIATE_TEST_SUITE_P(All, TrainedModel, ::testing::Values("sample", "lm", "moe"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace bitwright::worker
