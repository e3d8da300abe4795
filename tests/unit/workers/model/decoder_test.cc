#include "workers/model/decoder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/gemm.h"

namespace bitwright::worker {
namespace {

// Logits [windows · window, vocab] of a model on ids, and the residual stream that enters each block.
struct Forward {
  std::vector<float> logits;
  std::vector<std::vector<float>> layer_inputs;
};

Forward RunModel(const Model& model, std::span<const int32_t> ids, int64_t window, Compute compute) {
  ThreadPool pool(2);
  const Decoder decoder(model.config(), window, compute);
  const int64_t hidden = model.config().hidden, vocab = model.config().vocab;
  const int64_t rows = static_cast<int64_t>(ids.size());
  Forward forward;
  std::vector<float> x(static_cast<size_t>(rows * hidden));
  model.Embed(ids, x.data());
  std::vector<Decoder::Scratch> scratch;
  for (int slot = 0; slot < pool.threads(); ++slot) scratch.emplace_back(decoder);
  for (int64_t b = 0; b < model.config().layers; ++b) {
    forward.layer_inputs.push_back(x);
    const auto block = model.LoadBlock(b, compute, pool);
    EXPECT_THAT(block, IsOk());
    pool.ParallelFor(rows / window, [&](int64_t w, int slot) {
      decoder.RunBlock(*block, x.data() + w * window * hidden, scratch[static_cast<size_t>(slot)]);
    });
  }
  const auto norm = model.FinalNorm();
  for (int64_t w = 0; w < rows / window; ++w) {
    decoder.FinalNorm(norm.data(), x.data() + w * window * hidden, x.data() + w * window * hidden);
  }
  const auto head = model.Head(pool);
  forward.logits.resize(static_cast<size_t>(rows * vocab));
  GemmF32(false, true, rows, vocab, hidden, 1, x.data(), hidden, head.data(), hidden, 0, forward.logits.data(), vocab);
  return forward;
}

double LargestDifference(const TensorView& expected, std::span<const float> got) {
  const std::vector<float> values = Floats(expected);
  EXPECT_EQ(values.size(), got.size());
  double largest = 0;
  for (size_t i = 0; i < got.size(); ++i) largest = std::max(largest, std::fabs(double{values[i]} - got[i]));
  return largest;
}

class FixtureModel : public ::testing::TestWithParam<std::string> {};

TEST_P(FixtureModel, LogitsAgreeWithTransformers) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string dir = *shared + "/fixtures/models/" + GetParam();
  ASSERT_OK_AND_ASSIGN(const auto expected, SafetensorsFile::Open(dir + "/expected.safetensors", "expected"));
  ModelFiles files = FilesOf(dir);
  const auto check = [&] {
    ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(files));
    ASSERT_OK_AND_ASSIGN(const auto input, expected.Find("input_ids"));
    ASSERT_OK_AND_ASSIGN(const auto logits, expected.Find("logits"));
    const auto forward = RunModel(model, Ids(input), input.shape[1], Compute::kF32);
    // The fixtures' own tolerance: five times the noise of f32 arithmetic.
    EXPECT_LE(LargestDifference(logits, forward.logits), 5e-4);
    for (size_t b = 0; b < forward.layer_inputs.size(); ++b) {
      const auto entering = expected.Find("layer_input/" + std::to_string(b));
      if (!entering.ok()) continue;  // llama-old-config has logits only
      EXPECT_LE(LargestDifference(*entering, forward.layer_inputs[b]), 2e-4) << "block " << b;
    }
  };
  check();
  if (files.contains("config_v4.json")) {  // the key style of transformers 4 means the same model
    files["config.json"] = files["config_v4.json"];
    check();
  }
}

INSTANTIATE_TEST_SUITE_P(All, FixtureModel,
                         ::testing::Values("llama-gqa", "llama-rope3", "llama-tied", "llama-bias", "llama-linear-rope",
                                           "llama-yarn", "llama-sharded", "llama-f16", "llama-bf16", "llama-old-config",
                                           "mistral-window", "qwen2", "qwen3"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

class LaterFamily : public ::testing::TestWithParam<std::string> {};

TEST_P(LaterFamily, IsRefusedByName) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  EXPECT_THAT(Model::Open(FilesOf(*shared + "/fixtures/models/" + GetParam())), HasReason("ARCHITECTURE_UNSUPPORTED"));
}

INSTANTIATE_TEST_SUITE_P(All, LaterFamily,
                         ::testing::Values("gemma", "gemma2", "gemma3-text", "gpt2", "gpt-neox", "granite", "mixtral",
                                           "olmo2", "opt", "phi3", "phi3-longrope", "qwen2-moe", "qwen3-moe"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Decoder, Bf16IsNearF32) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string dir = *shared + "/fixtures/models/llama-gqa";
  ASSERT_OK_AND_ASSIGN(const auto expected, SafetensorsFile::Open(dir + "/expected.safetensors", "expected"));
  ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(dir)));
  ASSERT_OK_AND_ASSIGN(const auto input, expected.Find("input_ids"));
  ASSERT_OK_AND_ASSIGN(const auto logits, expected.Find("logits"));
  const double difference = LargestDifference(logits, RunModel(model, Ids(input), 64, Compute::kBf16).logits);
  EXPECT_GT(difference, 1e-3);  // it is bf16
  EXPECT_LT(difference, 0.5);
}

}  // namespace
}  // namespace bitwright::worker
