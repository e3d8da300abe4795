#include "workers/model/block_runner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/support/device_values.h"
#include "tests/support/fixtures.h"
#include "tests/support/model_fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/kernels/cpu/cpu_device.h"
#include "workers/kernels/reference/reference_device.h"
#include "workers/model/output_head.h"

namespace bitwright::worker {
namespace {

// Logits [windows · window, vocab] of a model on ids, and the residual stream that enters each block.
struct Forward {
  std::vector<float> logits;
  std::vector<std::vector<float>> layer_inputs;
};

Forward RunModel(const Model& model, std::span<const int32_t> ids, int64_t window, Compute compute, Device& device) {
  BlockRunner runner(model, window, compute, device);
  Forward forward;
  const DeviceMatrix x = runner.Embed(ids);
  for (int64_t b = 0; b < model.config().layers; ++b) {
    forward.layer_inputs.push_back(Values(device, x.view()));
    const auto block = runner.LoadBlock(b);
    EXPECT_THAT(block, IsOk());
    runner.Run(*block, x.view());
  }
  model.FinalNorm(device, x.view());
  const DeviceMatrix logits(device, DType::kF32, x.view().rows, model.config().vocab);
  OutputHead(runner).Logits(x.view(), logits.view());
  forward.logits = Values(device, logits.view());
  return forward;
}

Forward RunModel(const Model& model, std::span<const int32_t> ids, int64_t window, Compute compute) {
  ThreadPool pool(2);
  const auto device = MakeCpuDevice(pool);
  return RunModel(model, ids, window, compute, *device);
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
                                           "mistral-window", "qwen2", "qwen3", "gemma", "gemma2", "gemma3-text", "gpt2",
                                           "gpt-neox", "granite", "mixtral", "olmo2", "opt", "phi3", "phi3-longrope",
                                           "qwen2-moe", "qwen3-moe"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

// The interpreter on another device: plain loops in f64 give the same logits.
TEST(BlockRunner, DevicesAgree) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const char* name : {"gemma2", "gpt-neox", "qwen2-moe"}) {
    const std::string dir = *shared + "/fixtures/models/" + name;
    ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(dir)));
    std::vector<int32_t> ids(48);
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(3 + i * 37 % 250);
    const auto reference = MakeReferenceDevice();
    const Forward expected = RunModel(model, ids, 24, Compute::kF32, *reference);
    const Forward got = RunModel(model, ids, 24, Compute::kF32);
    for (size_t i = 0; i < expected.logits.size(); ++i) ASSERT_NEAR(got.logits[i], expected.logits[i], 2e-4) << name;
  }
}

// The largest difference of what leaves the first block where the inputs of some units are rounded.
double RoundedAway(const Model& model, Device& device, int bits, const std::function<bool(const UnitSpec&)>& rounds) {
  std::vector<int32_t> ids(48);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(3 + i * 37 % 250);
  BlockRunner runner(model, 24, Compute::kF32, device);
  std::vector<float> leaving[2];
  for (const bool rounded : {false, true}) {
    const UnitSource source = [&](const UnitSpec& unit, const Matrix& weight) {
      model.LoadUnit(unit, device, weight);
      return SiteFormat{rounded && rounds(unit) ? bits : 0};
    };
    const DeviceMatrix x = runner.Embed(ids);
    EXPECT_THAT(runner.RunBlocks(0, 1, x.view(), source), IsOk());
    leaving[rounded] = Values(device, x.view());
  }
  double largest = 0;
  for (size_t i = 0; i < leaving[0].size(); ++i) {
    largest = std::max(largest, std::fabs(double{leaving[0][i]} - leaving[1][i]));
  }
  return largest;
}

// Of attention, of a dense half, of experts: some 256 times as much at 8 bits as at 16.
TEST(BlockRunner, RoundsTheInputsOfUnitsThatSaySo) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  ThreadPool pool(2);
  const auto cpu = MakeCpuDevice(pool), plain = MakeReferenceDevice();
  for (const char* name : {"llama-gqa", "mixtral"}) {
    ASSERT_OK_AND_ASSIGN(const Model model, Model::Open(FilesOf(*shared + "/fixtures/models/" + name)));
    const BlockProgram program = model.config().block(0);
    for (const UnitSpec& unit : program.units) {
      SCOPED_TRACE(unit.name);
      const auto rounds = [&](const UnitSpec& other) { return other.name == unit.name; };
      const double fine = RoundedAway(model, *cpu, 16, rounds), coarse = RoundedAway(model, *cpu, 8, rounds);
      EXPECT_GT(fine, 0);
      EXPECT_GT(coarse, 60 * fine);
      EXPECT_NEAR(RoundedAway(model, *plain, 8, rounds), coarse, 0.2 * coarse);
    }
  }
}

TEST(BlockRunner, Bf16IsNearF32) {
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
