#include "workers/targets/gguf_architecture.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/targets/written_gguf.h"
#include "workers/base/files.h"
#include "workers/checkpoint/gguf.h"
#include "workers/checkpoint/gguf_writer.h"
#include "workers/targets/gguf_vocabulary.h"
#include "workers/tensor/float16.h"

namespace bitwright::worker {
namespace {

// Rows of a fixture's tensor as the file has them: F32, or matrices as BF16.
std::vector<std::byte> BytesOf(const FixtureTensor& tensor, const GgufSource& source, bool bf16) {
  const std::vector<float> values = tensor.As<float>();
  const int64_t rows = source.shape[0], columns = static_cast<int64_t>(values.size()) / rows;
  std::vector<std::byte> bytes;
  for (int64_t row = 0; row < rows; ++row) {
    const float* from = values.data() + SourceRow(row, source.rotary_head_dim) * columns;
    for (int64_t j = 0; j < columns; ++j) {
      std::byte stored[4];
      const uint16_t half = FloatToBf16(from[j]);
      std::memcpy(stored, bf16 ? static_cast<const void*>(&half) : from + j, bf16 ? 2 : 4);
      bytes.insert(bytes.end(), stored, stored + (bf16 ? 2 : 4));
    }
  }
  return bytes;
}

// The gguf package's own conversion of the same checkpoint, byte for byte.
TEST(GgufArchitectureTest, WritesTheFilesThatThePackageWrites) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  const std::string model = *shared + "/fixtures/models/llama-gqa/";
  const auto config = ParseModelConfig(*ReadFile(model + "config.json"));
  BITWRIGHT_ASSERT_OK(config);
  const auto described = DescribeGguf(*config);
  BITWRIGHT_ASSERT_OK(described);
  const auto vocabulary =
      GgufVocabulary(*ReadFile(model + "tokenizer.json"), *ReadFile(model + "tokenizer_config.json"), config->vocab);
  BITWRIGHT_ASSERT_OK(vocabulary);
  const FixtureTensors tensors = ReadFixture(model + "model.safetensors");
  for (const bool bf16 : {false, true}) {
    std::vector<GgufSetting> settings = {GgufText("general.architecture", described->name),
                                         GgufText("general.name", "llama-gqa"), GgufText("general.type", "model")};
    settings.insert(settings.end(), described->settings.begin(), described->settings.end());
    settings.push_back(GgufNumber("general.file_type", uint32_t{bf16 ? 32u : 0u}));
    settings.push_back(GgufNumber("general.quantization_version", uint32_t{2}));
    settings.insert(settings.end(), vocabulary->begin(), vocabulary->end());
    std::vector<GgufDeclaration> declarations;
    for (const GgufSource& source : described->tensors) {
      const uint32_t id = bf16 && source.shape.size() > 1 ? 30 : 0;
      declarations.push_back({source.name, source.shape, *FindGgmlType(id)});
    }
    const auto plan = PlanGguf("model.gguf", settings, declarations);
    BITWRIGHT_ASSERT_OK(plan);
    const TempDir dir;
    const std::string path = dir / "written.gguf";
    auto writer = GgufWriter::Create(path, *plan);
    BITWRIGHT_ASSERT_OK(writer);
    for (size_t i = 0; i < declarations.size(); ++i) {
      const GgufSource& source = described->tensors[i];
      BITWRIGHT_ASSERT_OK(writer->Append(BytesOf(Find(tensors, source.tensor), source, declarations[i].type.id == 30)));
    }
    BITWRIGHT_ASSERT_OK(writer->Close());
    const std::string expected =
        *shared + "/fixtures/packing/gguf-models/llama-gqa-" + (bf16 ? "bf16" : "f32") + ".gguf";
    EXPECT_TRUE(*ReadFile(path) == *ReadFile(expected)) << expected;
  }
}

absl::StatusOr<ModelConfig> ConfigOf(const std::string& model, const nlohmann::json& changes = {}) {
  auto config = nlohmann::json::parse(*ReadFile(*SharedDir() + "/fixtures/models/" + model + "/config.json"));
  if (!changes.is_null()) config.update(changes);
  return ParseModelConfig(config.dump());
}

const GgufSource* Named(const GgufArchitecture& described, const std::string& name) {
  for (const GgufSource& source : described.tensors) {
    if (source.name == name) return &source;
  }
  return nullptr;
}

// What each fixture needs changed to be what llama.cpp computes.
const std::vector<std::pair<std::string, nlohmann::json>>& Stored() {
  static const auto& stored = *new std::vector<std::pair<std::string, nlohmann::json>>{
      {"llama-bias", {}},
      {"llama-tied", {}},
      {"llama-linear-rope", {}},
      {"llama-rope3", {}},
      {"llama-yarn", {}},
      {"qwen2", {}},
      {"qwen3", {}},
      {"mixtral", {}},
      {"qwen2-moe", {}},
      {"qwen3-moe", {{"mlp_only_layers", nlohmann::json::array()}}},
      {"gemma", {}},
      {"gemma2", {{"query_pre_attn_scalar", 32}}},
      {"gemma3-text", {{"query_pre_attn_scalar", 32}}},
      {"phi3", {}},
      {"phi3-longrope", {}},
      {"granite", {}},
      {"olmo2", {}},
      {"gpt2", {}},
  };
  return stored;
}

// Every tensor that the model has is stored once, each under a name of its own.
TEST(GgufArchitectureTest, NamesEveryTensorOfTheFamiliesItKnows) {
  const auto shared = SharedDir();
  if (!shared) GTEST_SKIP() << kNoSharedData;
  for (const auto& [model, changes] : Stored()) {
    SCOPED_TRACE(model);
    const auto config = ConfigOf(model, changes);
    BITWRIGHT_ASSERT_OK(config);
    const auto described = DescribeGguf(*config);
    BITWRIGHT_ASSERT_OK(described);
    std::set<std::string> names;
    std::multiset<std::string> stored, required;
    const bool rotated = model.starts_with("llama") || model == "mixtral" || model == "granite";
    for (const GgufSource& source : described->tensors) {
      EXPECT_TRUE(names.insert(source.name).second) << source.name;
      const bool qk =
          source.name.find(".attn_q.") != std::string::npos || source.name.find(".attn_k.") != std::string::npos;
      EXPECT_EQ(source.rotary_head_dim != 0, rotated && qk) << source.name;
      EXPECT_EQ(source.values.empty(), !source.name.starts_with("rope_")) << source.name;
      if (!source.values.empty()) continue;
      stored.insert(source.tensor);
      stored.insert(source.further.begin(), source.further.end());
    }
    for (const TensorSpec& tensor : RequiredTensors(*config)) required.insert(tensor.name);
    EXPECT_EQ(stored, required);
  }
}

TEST(GgufArchitectureTest, StacksTheExpertsOfABlock) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  const auto described = DescribeGguf(*ConfigOf("mixtral"));
  BITWRIGHT_ASSERT_OK(described);
  const GgufSource* gates = Named(*described, "blk.1.ffn_gate_exps.weight");
  ASSERT_NE(gates, nullptr);
  EXPECT_THAT(gates->shape, testing::ElementsAre(4, 96, 64));
  EXPECT_EQ(gates->tensor, "model.layers.1.block_sparse_moe.experts.0.w1.weight");
  EXPECT_THAT(gates->further, testing::ElementsAre("model.layers.1.block_sparse_moe.experts.1.w1.weight",
                                                   "model.layers.1.block_sparse_moe.experts.2.w1.weight",
                                                   "model.layers.1.block_sparse_moe.experts.3.w1.weight"));
  const GgufSource* router = Named(*described, "blk.1.ffn_gate_inp.weight");
  ASSERT_NE(router, nullptr);
  EXPECT_TRUE(router->wide);
  const auto file = WrittenGguf(described->settings);
  EXPECT_EQ(*file->metadata().Integer("llama.expert_count"), 4);
  EXPECT_EQ(*file->metadata().Integer("llama.expert_used_count"), 2);
}

TEST(GgufArchitectureTest, SaysWhatWidthsExpertsHave) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  const auto file = WrittenGguf(DescribeGguf(*ConfigOf("qwen2-moe"))->settings);
  EXPECT_EQ(*file->metadata().Integer("qwen2moe.expert_feed_forward_length"), 48);
  EXPECT_EQ(*file->metadata().Integer("qwen2moe.expert_shared_feed_forward_length"), 80);
}

TEST(GgufArchitectureTest, AddsOneToTheNormsOfGemma) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  const auto gemma = DescribeGguf(*ConfigOf("gemma3-text", {{"query_pre_attn_scalar", 32}}));
  for (const GgufSource& source : gemma->tensors) {
    EXPECT_EQ(source.added, source.name.ends_with("norm.weight") ? 1 : 0) << source.name;
  }
}

TEST(GgufArchitectureTest, SaysWhichBlocksHaveWindows) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  const auto two = WrittenGguf(DescribeGguf(*ConfigOf("gemma2", {{"query_pre_attn_scalar", 32}}))->settings);
  EXPECT_EQ(*two->metadata().Integer("gemma2.attention.sliding_window"), 16);
  EXPECT_EQ(*two->metadata().Integer("gemma2.attention.sliding_window_pattern"), 2);
  const auto three = WrittenGguf(DescribeGguf(*ConfigOf("gemma3-text", {{"query_pre_attn_scalar", 32}}))->settings);
  EXPECT_EQ(*three->metadata().Integer("gemma3.attention.sliding_window_pattern"), 3);
}

TEST(GgufArchitectureTest, StoresTransposedMatricesAsOthers) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  const auto described = DescribeGguf(*ConfigOf("gpt2"));
  EXPECT_THAT(Named(*described, "blk.0.attn_qkv.weight")->shape, testing::ElementsAre(192, 64));
  EXPECT_TRUE(Named(*described, "position_embd.weight")->wide);
}

TEST(GgufArchitectureTest, WritesFactorsOfRotaryFrequencies) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  const auto llama3 = DescribeGguf(*ConfigOf("llama-rope3"));
  const GgufSource* factors = Named(*llama3, "rope_freqs.weight");
  ASSERT_NE(factors, nullptr);
  ASSERT_EQ(factors->values.size(), 8);
  EXPECT_EQ(factors->values.front(), 1);
  EXPECT_FLOAT_EQ(factors->values.back(), 8);
  const auto phi3 = DescribeGguf(*ConfigOf("phi3-longrope"));
  EXPECT_THAT(Named(*phi3, "rope_factors_long.weight")->values, testing::ElementsAre(1, 2.5, 4, 5.5, 7, 8.5));
  const auto file = WrittenGguf(phi3->settings);
  EXPECT_EQ(*file->metadata().Integer("phi3.rope.scaling.original_context_length"), 32);
  EXPECT_EQ(*file->metadata().Integer("phi3.rope.dimension_count"), 12);
}

TEST(GgufArchitectureTest, RefusesByNameWhatLlamaCppComputesOtherwise) {
  if (!SharedDir()) GTEST_SKIP() << kNoSharedData;
  struct Case {
    std::string model;
    nlohmann::json changes;
    std::string named;
  };
  const nlohmann::json yarn = {{"rope_type", "yarn"}, {"rope_theta", 10000.0}, {"factor", 4.0}};
  const auto rope = [&](nlohmann::json with) {
    with.update(yarn);
    return nlohmann::json{{"rope_parameters", with}};
  };
  const nlohmann::json llama3 = {{"rope_type", "llama3"},   {"rope_theta", 10000.0},
                                 {"factor", 8.0},           {"low_freq_factor", 1.0},
                                 {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 256}};
  for (const Case& refused : std::vector<Case>{
           {"opt", {}, "'opt'"},
           {"mistral-window", {}, "window"},
           {"phi3", {{"sliding_window", 100}}, "window"},
           {"gemma2", {}, "scale of attention scores"},
           {"gemma2", {{"query_pre_attn_scalar", 32}, {"attn_logit_softcapping", nullptr}}, "soft cap"},
           {"gemma2", {{"query_pre_attn_scalar", 32}, {"final_logit_softcapping", nullptr}}, "soft cap"},
           {"gemma", {{"hidden_act", "silu"}}, "activation"},
           {"gemma", {{"tie_word_embeddings", false}}, "head"},
           {"gemma", {{"attention_bias", true}}, "bias"},
           {"qwen3", {{"attention_bias", true}}, "bias"},
           {"olmo2", {{"attention_bias", true}}, "bias"},
           {"olmo2", {{"tie_word_embeddings", true}}, "head"},
           {"qwen2-moe", {{"norm_topk_prob", true}}, "norm_topk_prob"},
           {"qwen3-moe", {{"mlp_only_layers", nlohmann::json::array()}, {"norm_topk_prob", false}}, "norm_topk_prob"},
           {"qwen3-moe", {}, "without experts"},
           {"gpt2", {{"scale_attn_by_inverse_layer_idx", true}}, "scale of attention scores"},
           {"gpt2", {{"activation_function", "relu"}}, "activation"},
           {"llama-gqa", {{"hidden_act", "gelu"}}, "activation"},
           {"llama-gqa", rope({{"beta_fast", 16.0}}), "betas"},
           {"llama-gqa", rope({{"truncate", false}}), "truncate"},
           {"llama-gqa",
            {{"rope_parameters", {{"rope_type", "dynamic"}, {"rope_theta", 1e4}, {"factor", 2.0}}}},
            "dynamic"},
           {"qwen2", {{"rope_parameters", llama3}}, "llama3"},
       }) {
    const auto config = ConfigOf(refused.model, refused.changes);
    BITWRIGHT_ASSERT_OK(config) << refused.model << refused.changes;
    const absl::Status status = DescribeGguf(*config).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << refused.model << refused.changes;
    EXPECT_NE(status.message().find(refused.named), std::string::npos) << refused.model << status;
  }
}

}  // namespace
}  // namespace bitwright::worker
