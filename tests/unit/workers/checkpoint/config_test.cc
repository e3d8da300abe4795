#include "workers/checkpoint/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

json Base(const std::string& architecture = "LlamaForCausalLM") {
  return {{"architectures", {architecture}},
          {"hidden_size", 64},
          {"intermediate_size", 96},
          {"num_hidden_layers", 4},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"vocab_size", 256},
          {"max_position_embeddings", 128},
          {"rms_norm_eps", 1e-5}};
}

absl::StatusOr<ModelConfig> Parse(const json& config) { return ParseModelConfig(config.dump()); }

// Base with one field replaced.
json With(const std::string& field, json value) {
  json config = Base();
  config[field] = std::move(value);
  return config;
}

void ExpectRefused(const json& config, const std::string& reason, const std::string& field) {
  const auto parsed = Parse(config);
  EXPECT_THAT(parsed, HasReason(reason)) << config;
  auto detail = GetErrorDetail(parsed.status());
  EXPECT_EQ(detail ? detail->metadata["field"] : "", field) << config;
}

TEST(Config, TheLeastThatALlamaNeeds) {
  ASSERT_OK_AND_ASSIGN(const ModelConfig model, Parse(Base()));
  EXPECT_EQ(model.family, "llama");
  EXPECT_EQ(model.head_dim, 16);
  EXPECT_EQ(model.rope.theta, 10000);
  EXPECT_FALSE(model.tied_embeddings);
  EXPECT_EQ(model.window, std::vector<int64_t>(4, 0));
}

TEST(Config, NullMeansMissing) {
  json config = Base();
  config["head_dim"] = nullptr;
  config["rope_scaling"] = nullptr;
  config["quantization_config"] = nullptr;
  config["sliding_window"] = nullptr;
  EXPECT_THAT(Parse(config), IsOk());
}

TEST(Config, EverySizeIsRequiredAndChecked) {
  for (const char* field : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                            "vocab_size", "max_position_embeddings"}) {
    json config = Base();
    config.erase(field);
    ExpectRefused(config, "CONFIG_INVALID", field);
  }
  for (const char* field : {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                            "num_key_value_heads", "vocab_size", "max_position_embeddings", "head_dim"}) {
    for (const char* value : {"\"64\"", "64.0", "64.5", "0", "-64", "16777217", "9223372036854775807",
                              "18446744073709551615", "18446744073709551616", "1e300", "true", "[64]", "{}"}) {
      ExpectRefused(With(field, json::parse(value)), "CONFIG_INVALID", field);
    }
  }
}

TEST(Config, SizesMustFitEachOther) {
  ExpectRefused(With("num_attention_heads", 5), "CONFIG_INVALID", "num_attention_heads");
  ExpectRefused(With("num_key_value_heads", 3), "CONFIG_INVALID", "num_key_value_heads");
  ExpectRefused(With("num_key_value_heads", 8), "CONFIG_INVALID", "num_key_value_heads");
  ExpectRefused(With("head_dim", 15), "CONFIG_INVALID", "head_dim");
  ExpectRefused(With("num_hidden_layers", 10001), "CONFIG_INVALID", "num_hidden_layers");
  json config = Base();
  config["num_attention_heads"] = 6;
  config["head_dim"] = 32;
  EXPECT_THAT(Parse(config), IsOk()) << "heads need not divide hidden_size when head_dim is given";
}

TEST(Config, OtherFieldsOfTheWrongType) {
  for (const char* field : {"attention_bias", "mlp_bias", "tie_word_embeddings"}) {
    for (const char* value : {"1", "\"true\"", "[]"}) {
      ExpectRefused(With(field, json::parse(value)), "CONFIG_INVALID", field);
    }
  }
  for (const char* field : {"rms_norm_eps", "rope_theta"}) {
    for (const char* value : {"\"1\"", "-1", "true", "[]"}) {
      ExpectRefused(With(field, json::parse(value)), "CONFIG_INVALID", field);
    }
  }
  for (const char* field : {"rope_scaling", "rope_parameters"}) {
    for (const char* value : {"1", "\"x\"", "[]"}) {
      ExpectRefused(With(field, json::parse(value)), "CONFIG_INVALID", field);
    }
  }
  ExpectRefused(With("rope_theta", 1), "CONFIG_INVALID", "rope_theta");
  ExpectRefused(With("hidden_act", 1), "CONFIG_INVALID", "hidden_act");
}

TEST(Config, Architectures) {
  for (const char* value : {"\"LlamaForCausalLM\"", "[]", "[1]", "[\"LlamaForCausalLM\",\"LlamaForCausalLM\"]", "{}"}) {
    ExpectRefused(With("architectures", json::parse(value)), "CONFIG_INVALID", "architectures");
  }
  json config = Base();
  config.erase("architectures");
  ExpectRefused(config, "CONFIG_INVALID", "architectures");
  for (const char* name : {"GPT2LMHeadModel", "LlamaModel", "", "llamaforcausallm"}) {
    const auto parsed = Parse(Base(name));
    EXPECT_THAT(parsed, HasReason("ARCHITECTURE_UNSUPPORTED"));
    EXPECT_EQ(GetErrorDetail(parsed.status())->metadata.at("architecture"), name);
  }
}

TEST(Config, WhatEachFamilyHas) {
  json config = Base("Qwen2ForCausalLM");
  config["attention_bias"] = false;
  ASSERT_OK_AND_ASSIGN(ModelConfig model, Parse(config));
  EXPECT_TRUE(model.qkv_bias);
  EXPECT_FALSE(model.output_bias);
  ASSERT_OK_AND_ASSIGN(model, Parse(Base("Qwen3ForCausalLM")));
  EXPECT_TRUE(model.qk_norm);
  config = With("attention_bias", true);
  config["mlp_bias"] = true;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_TRUE(model.qkv_bias && model.output_bias && model.mlp_bias);
  ASSERT_OK_AND_ASSIGN(model, Parse(With("tie_word_embeddings", true)));
  EXPECT_TRUE(model.tied_embeddings);
}

TEST(Config, Unsupported) {
  ExpectRefused(With("hidden_act", "gelu"), "CONFIG_UNSUPPORTED", "hidden_act");
  for (const char* value : {"{}", "{\"quant_method\":\"gptq\"}", "1"}) {
    ExpectRefused(With("quantization_config", json::parse(value)), "CONFIG_UNSUPPORTED", "quantization_config");
  }
  ExpectRefused(With("rope_scaling", {{"rope_type", "longrope"}, {"factor", 2}}), "CONFIG_UNSUPPORTED", "rope_type");
  ExpectRefused(With("rope_scaling", {{"type", "dynamic"}, {"factor", 2}}), "CONFIG_UNSUPPORTED", "rope_type");
  ExpectRefused(With("rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.25}}),
                "CONFIG_UNSUPPORTED", "partial_rotary_factor");
}

TEST(Config, BothKeyStylesOfTheRopeMeanTheSame) {
  json v4 = Base();
  v4["rope_theta"] = 5e5;
  v4["rope_scaling"] = {{"rope_type", "llama3"},
                        {"factor", 8},
                        {"low_freq_factor", 1},
                        {"high_freq_factor", 4},
                        {"original_max_position_embeddings", 64}};
  json v5 = Base();
  v5["rope_parameters"] = v4["rope_scaling"];
  v5["rope_parameters"]["rope_theta"] = 5e5;
  for (const json& config : {v4, v5}) {
    ASSERT_OK_AND_ASSIGN(const ModelConfig model, Parse(config));
    EXPECT_EQ(model.rope.kind, RopeConfig::Kind::kLlama3);
    EXPECT_EQ(model.rope.theta, 5e5);
    EXPECT_EQ(model.rope.factor, 8);
    EXPECT_EQ(model.rope.original_max_positions, 64);
  }
  ASSERT_OK_AND_ASSIGN(const ModelConfig old, Parse(With("rope_scaling", {{"type", "linear"}, {"factor", 4}})));
  EXPECT_EQ(old.rope.kind, RopeConfig::Kind::kLinear);
}

TEST(Config, RopeFields) {
  const json llama3 = {{"rope_type", "llama3"},
                       {"factor", 8},
                       {"low_freq_factor", 1},
                       {"high_freq_factor", 4},
                       {"original_max_position_embeddings", 64}};
  for (const char* field : {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    json rope = llama3;
    rope.erase(field);
    ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", field);
    rope[field] = "8";
    ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", field);
    rope[field] = -8;
    ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", field);
  }
  json rope = llama3;
  rope["high_freq_factor"] = 1;
  ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", "high_freq_factor");
  rope = llama3;
  rope["original_max_position_embeddings"] = 0;
  ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", "original_max_position_embeddings");
  ExpectRefused(With("rope_scaling", {{"rope_type", "linear"}, {"factor", 0.5}}), "CONFIG_INVALID", "factor");
  ExpectRefused(With("rope_scaling", {{"rope_type", 1}}), "CONFIG_INVALID", "rope_type");
  const json yarn = {{"rope_type", "yarn"}, {"factor", 4}};
  ASSERT_OK_AND_ASSIGN(const ModelConfig model, Parse(With("rope_scaling", yarn)));
  EXPECT_EQ(model.rope.original_max_positions, 128) << "from max_position_embeddings";
  for (const char* field : {"beta_fast", "beta_slow", "attention_factor", "mscale", "truncate"}) {
    json bad = yarn;
    bad[field] = "x";
    ExpectRefused(With("rope_scaling", bad), "CONFIG_INVALID", field);
  }
}

TEST(Config, SlidingWindows) {
  json config = Base("MistralForCausalLM");
  config["sliding_window"] = 16;
  ASSERT_OK_AND_ASSIGN(ModelConfig model, Parse(config));
  EXPECT_EQ(model.window, std::vector<int64_t>(4, 16));
  config = Base("Qwen2ForCausalLM");
  config["sliding_window"] = 16;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.window, std::vector<int64_t>(4, 0)) << "use_sliding_window is off unless said";
  config["use_sliding_window"] = true;
  config["max_window_layers"] = 2;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.window, (std::vector<int64_t>{0, 0, 16, 16}));
  config["layer_types"] = {"sliding_attention", "full_attention", "full_attention", "sliding_attention"};
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.window, (std::vector<int64_t>{16, 0, 0, 16}));
  config["layer_types"] = {"full_attention"};
  ExpectRefused(config, "CONFIG_INVALID", "layer_types");
  config["layer_types"] = "full_attention";
  ExpectRefused(config, "CONFIG_INVALID", "layer_types");
  config["layer_types"] = {"full_attention", "full_attention", "full_attention", 1};
  ExpectRefused(config, "CONFIG_UNSUPPORTED", "layer_types");
  ExpectRefused(With("sliding_window", -1), "CONFIG_INVALID", "sliding_window");
}

TEST(Config, TextThatIsNoConfig) {
  for (const char* text : {"", "[]", "null", "1", "{", "{}}", "\xef\xbb\xbf{}", "{\"a\":\"\xff\"}"}) {
    EXPECT_THAT(ParseModelConfig(text), HasReason("JSON_INVALID")) << text;
  }
  EXPECT_THAT(ParseModelConfig("{\"hidden_size\":1,\"hidden_size\":2}"), HasReason("JSON_DUPLICATE_KEY"));
  EXPECT_THAT(ParseModelConfig("{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"),
              HasReason("JSON_INVALID"));
}

}  // namespace
}  // namespace bitwright::worker
