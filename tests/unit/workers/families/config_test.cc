#include "workers/families/config.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/block_facts.h"
#include "tests/support/status_matchers.h"
#include "workers/families/dtype_name.h"

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
  EXPECT_EQ(FactsOf(model).head_dim, 16);
  EXPECT_EQ(model.ropes[0].theta, 10000);
  EXPECT_FALSE(model.tied_embeddings);
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 0));
}

TEST(Config, AbsentNullAndPresentAreThreeCases) {
  json config = Base();
  for (const char* field : {"head_dim", "num_key_value_heads", "rope_scaling", "rope_parameters", "quantization_config",
                            "sliding_window", "layer_types", "pad_token_id", "dtype"}) {
    config[field] = nullptr;
  }
  ASSERT_OK_AND_ASSIGN(ModelConfig model, Parse(config));
  EXPECT_EQ(FactsOf(model).kv_heads, 4);
  for (const char* field : {"hidden_size", "vocab_size", "rms_norm_eps", "hidden_act", "tie_word_embeddings",
                            "rope_theta", "use_cache", "attention_bias"}) {
    ExpectRefused(With(field, nullptr), "CONFIG_INVALID", field);
  }
  config = Base("MistralForCausalLM");
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 4096));
  config["sliding_window"] = nullptr;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 0));
  config["num_key_value_heads"] = nullptr;
  ExpectRefused(config, "CONFIG_INVALID", "num_key_value_heads");
}

TEST(Config, AnAbsentKeyMeansTheFamilysDefault) {
  const auto bare = [](const char* family) { return Parse({{"model_type", family}}); };
  ASSERT_OK_AND_ASSIGN(ModelConfig model, bare("llama"));
  EXPECT_EQ(model.architecture, "LlamaForCausalLM");
  EXPECT_EQ((std::vector<int64_t>{model.hidden, model.intermediate, model.layers, FactsOf(model).heads,
                                  FactsOf(model).kv_heads, FactsOf(model).head_dim, model.vocab, model.max_positions}),
            (std::vector<int64_t>{4096, 11008, 32, 32, 32, 128, 32000, 2048}));
  ASSERT_OK_AND_ASSIGN(model, bare("mistral"));
  EXPECT_EQ((std::vector<int64_t>{model.intermediate, FactsOf(model).kv_heads, model.max_positions, Windows(model)[0]}),
            (std::vector<int64_t>{14336, 8, 131072, 4096}));
  ASSERT_OK_AND_ASSIGN(model, bare("qwen3"));
  EXPECT_EQ((std::vector<int64_t>{model.intermediate, FactsOf(model).kv_heads, model.vocab, model.max_positions}),
            (std::vector<int64_t>{22016, 32, 151936, 32768}));
  json config = Base("Qwen3ForCausalLM");
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(FactsOf(model).head_dim, 128) << "not hidden_size / num_attention_heads";
  config["head_dim"] = nullptr;
  ExpectRefused(config, "CONFIG_INVALID", "head_dim");
}

TEST(Config, EverySizeIsChecked) {
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
  ExpectRefused(With("head_dim", 15), "CONFIG_UNSUPPORTED", "head_dim");
  ExpectRefused(With("num_hidden_layers", 10001), "CONFIG_INVALID", "num_hidden_layers");
  for (const char* architecture : {"LlamaForCausalLM", "MistralForCausalLM"}) {
    json config = Base(architecture);
    config["num_attention_heads"] = 6;
    config["head_dim"] = 32;
    // Of these, only Llama's class asks that heads divide hidden_size where head_dim is given.
    EXPECT_EQ(Parse(config).ok(), config["architectures"][0] == "MistralForCausalLM");
  }
  ExpectRefused(With("pad_token_id", 256), "CONFIG_INVALID", "pad_token_id");
  ExpectRefused(With("pad_token_id", -257), "CONFIG_INVALID", "pad_token_id");
  EXPECT_THAT(Parse(With("pad_token_id", -1)), IsOk());
}

TEST(Config, OtherFieldsOfTheWrongType) {
  for (const char* field : {"attention_bias", "mlp_bias", "tie_word_embeddings"}) {
    for (const char* value : {"1", "\"true\"", "[]"}) {
      ExpectRefused(With(field, json::parse(value)), "CONFIG_INVALID", field);
    }
  }
  for (const char* value : {"\"1\"", "-1.5", "1", "true", "[]"}) {
    ExpectRefused(With("rms_norm_eps", json::parse(value)), "CONFIG_INVALID", "rms_norm_eps");
  }
  for (const char* value : {"\"1\"", "true", "[]"}) {
    ExpectRefused(With("rope_theta", json::parse(value)), "CONFIG_INVALID", "rope_theta");
  }
  for (const char* value : {"1", "\"x\"", "[1]"}) {
    ExpectRefused(With("rope_parameters", json::parse(value)), "CONFIG_INVALID", "rope_parameters");
    ExpectRefused(With("rope_scaling", json::parse(value)), "CONFIG_INVALID", "rope_scaling");
  }
  ExpectRefused(With("rope_theta", 1), "CONFIG_UNSUPPORTED", "rope_theta");
  ExpectRefused(With("rope_theta", -5), "CONFIG_UNSUPPORTED", "rope_theta");
  ExpectRefused(With("hidden_act", 1), "CONFIG_INVALID", "hidden_act");
}

TEST(Config, Architectures) {
  for (const char* value : {"\"LlamaForCausalLM\"", "[]", "[1]", "[\"LlamaForCausalLM\",\"LlamaForCausalLM\"]", "{}"}) {
    ExpectRefused(With("architectures", json::parse(value)), "CONFIG_INVALID", "architectures");
  }
  json config = Base();
  config.erase("architectures");
  ExpectRefused(config, "CONFIG_INVALID", "architectures");
  config["model_type"] = "qwen2";
  ASSERT_OK_AND_ASSIGN(const ModelConfig model, Parse(config));
  EXPECT_EQ(model.architecture, "Qwen2ForCausalLM");
  config["model_type"] = "falcon";
  EXPECT_THAT(Parse(config), HasReason("ARCHITECTURE_UNSUPPORTED"));
  ExpectRefused(With("model_type", "mistral"), "CONFIG_INVALID", "model_type");
  for (const char* name : {"FalconForCausalLM", "LlamaModel", "", "llamaforcausallm"}) {
    const auto parsed = Parse(Base(name));
    EXPECT_THAT(parsed, HasReason("ARCHITECTURE_UNSUPPORTED"));
    EXPECT_EQ(GetErrorDetail(parsed.status())->metadata.at("architecture"), name);
  }
}

TEST(Config, WhatEachFamilyHas) {
  json config = Base("Qwen2ForCausalLM");
  config["attention_bias"] = false;
  ASSERT_OK_AND_ASSIGN(ModelConfig model, Parse(config));
  EXPECT_TRUE(FactsOf(model).qkv_bias);
  EXPECT_FALSE(FactsOf(model).output_bias);
  ASSERT_OK_AND_ASSIGN(model, Parse(Base("Qwen3ForCausalLM")));
  EXPECT_TRUE(FactsOf(model).qk_norm);
  config = With("attention_bias", true);
  config["mlp_bias"] = true;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_TRUE(FactsOf(model).qkv_bias && FactsOf(model).output_bias && FactsOf(model).mlp_bias);
  ASSERT_OK_AND_ASSIGN(model, Parse(With("tie_word_embeddings", true)));
  EXPECT_TRUE(model.tied_embeddings);
}

TEST(Config, Unsupported) {
  ExpectRefused(With("hidden_act", "tanh"), "CONFIG_UNSUPPORTED", "hidden_act");
  for (const char* value : {"{}", "{\"quant_method\":\"gptq\"}", "1"}) {
    ExpectRefused(With("quantization_config", json::parse(value)), "CONFIG_UNSUPPORTED", "quantization_config");
  }
  ExpectRefused(With("rope_scaling", {{"rope_type", "proportional"}}), "CONFIG_UNSUPPORTED", "rope_type");
  ExpectRefused(With("rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.25}}),
                "CONFIG_UNSUPPORTED", "partial_rotary_factor");
  ExpectRefused(With("partial_rotary_factor", 0.5), "CONFIG_UNSUPPORTED", "partial_rotary_factor");
  ExpectRefused(With("rope_parameters", {{"full_attention", {{"rope_theta", 1e6}}}}), "CONFIG_UNSUPPORTED",
                "rope_parameters");
  for (const char* value : {"false", "null", "0"}) {
    ExpectRefused(With("is_causal", json::parse(value)), "CONFIG_UNSUPPORTED", "is_causal");
  }
  ExpectRefused(With("per_layer_config", {{"0", {{"num_key_value_heads", 1}}}}), "CONFIG_UNSUPPORTED",
                "per_layer_config");
  ExpectRefused(With("transformers_weights", "other.safetensors"), "CONFIG_UNSUPPORTED", "transformers_weights");
  ExpectRefused(With("torch_dtype", "int8"), "CONFIG_UNSUPPORTED", "torch_dtype");
  EXPECT_THAT(Parse(With("hidden_act", "swish")), IsOk()) << "another name of silu";
}

TEST(Config, TheDTypeInAnySpelling) {
  for (const char* key : {"dtype", "torch_dtype"}) {
    for (const char* name : {"bfloat16", "float16", "half", "float32", "float", "float64", "double", "torch.bfloat16",
                             "torch.half", "auto"}) {
      EXPECT_THAT(Parse(With(key, name)), IsOk()) << key << " " << name;
    }
    EXPECT_THAT(Parse(With(key, nullptr)), IsOk());
    for (const char* name : {"", "bf16", "Torch.bfloat16", "torch.", "torch.torch.half", "int8", "float8_e4m3fn"}) {
      ExpectRefused(With(key, name), "CONFIG_UNSUPPORTED", key);
    }
    ExpectRefused(With(key, 16), "CONFIG_INVALID", key);
    ExpectRefused(With(key, {{"", "float16"}}), "CONFIG_INVALID", key);
  }
  EXPECT_EQ(TorchDTypeName("torch.half"), "half");
  EXPECT_EQ(TorchDTypeName("auto"), "") << "what the weights have";
}

// Which of two places counts, where both are there.
TEST(Config, PrecedenceOfTheRope) {
  json config = Base();
  config["rope_theta"] = 2e4;
  config["rope_parameters"] = {{"rope_theta", 3e4}, {"rope_type", "default"}};
  ASSERT_OK_AND_ASSIGN(ModelConfig model, Parse(config));
  EXPECT_EQ(model.ropes[0].theta, 3e4);
  config["rope_scaling"] = {{"type", "linear"}, {"factor", 2}};
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.ropes[0].theta, 2e4) << "rope_scaling takes the place of rope_parameters";
  EXPECT_EQ(model.ropes[0].kind, RopeConfig::Kind::kLinear);
  config["rope_scaling"] = json::object();
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.ropes[0].theta, 3e4) << "an empty one does not";
  config["rope_parameters"] = {{"rope_theta", nullptr}};
  ExpectRefused(config, "CONFIG_INVALID", "rope_theta");
  config["rope_parameters"] = {{"rope_type", "default"}, {"type", "linear"}, {"factor", 2}};
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.ropes[0].kind, RopeConfig::Kind::kDefault) << "rope_type comes before type";
  config["rope_parameters"] = {{"rope_type", "yarn"}, {"factor", nullptr}, {"original_max_position_embeddings", 32}};
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.ropes[0].factor, 4) << "128 positions, once 32";
  config["original_max_position_embeddings"] = 64;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(model.ropes[0].original_max_positions, 64) << "beside comes before inside";
  EXPECT_EQ(model.ropes[0].factor, 2);
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
    EXPECT_EQ(model.ropes[0].kind, RopeConfig::Kind::kLlama3);
    EXPECT_EQ(model.ropes[0].theta, 5e5);
    EXPECT_EQ(model.ropes[0].factor, 8);
    EXPECT_EQ(model.ropes[0].original_max_positions, 64);
  }
  ASSERT_OK_AND_ASSIGN(const ModelConfig old, Parse(With("rope_scaling", {{"type", "linear"}, {"factor", 4}})));
  EXPECT_EQ(old.ropes[0].kind, RopeConfig::Kind::kLinear);
}

TEST(Config, RopeFields) {
  const json llama3 = {{"rope_type", "llama3"},
                       {"factor", 8},
                       {"low_freq_factor", 1},
                       {"high_freq_factor", 4},
                       {"original_max_position_embeddings", 64}};
  for (const char* field : {"factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"}) {
    json rope = llama3;
    rope[field] = "8";
    ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", field);
    rope[field] = nullptr;
    ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", field);
    rope[field] = -8;
    ExpectRefused(With("rope_scaling", rope), "CONFIG_UNSUPPORTED", field);
    rope[field] = 0;
    ExpectRefused(With("rope_scaling", rope), "CONFIG_UNSUPPORTED", field);
    rope.erase(field);
    if (std::string_view(field) == "original_max_position_embeddings") continue;  // then max_position_embeddings
    ExpectRefused(With("rope_scaling", rope), "CONFIG_INVALID", field);
  }
  EXPECT_THAT(Parse(With("rope_scaling", {{"rope_type", "linear"}, {"factor", 0.5}})), IsOk());
  ExpectRefused(With("rope_scaling", {{"rope_type", 1}}), "CONFIG_INVALID", "rope_type");
  const json yarn = {{"rope_type", "yarn"}, {"factor", 4}};
  ASSERT_OK_AND_ASSIGN(const ModelConfig model, Parse(With("rope_scaling", yarn)));
  EXPECT_EQ(model.ropes[0].original_max_positions, 128) << "from max_position_embeddings";
  for (const char* field : {"beta_fast", "beta_slow", "attention_factor", "mscale", "truncate"}) {
    json bad = yarn;
    bad[field] = "x";
    ExpectRefused(With("rope_scaling", bad),
                  std::string_view(field) == "truncate" ? "CONFIG_UNSUPPORTED" : "CONFIG_INVALID", field);
  }
}

TEST(Config, SlidingWindows) {
  json config = Base("MistralForCausalLM");
  config["sliding_window"] = 16;
  ASSERT_OK_AND_ASSIGN(ModelConfig model, Parse(config));
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 16));
  config = Base("Qwen2ForCausalLM");
  config["sliding_window"] = 16;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 0)) << "use_sliding_window is off unless said";
  config["use_sliding_window"] = true;
  config["max_window_layers"] = 2;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(Windows(model), (std::vector<int64_t>{0, 0, 16, 16}));
  config["layer_types"] = {"sliding_attention", "full_attention", "full_attention", "sliding_attention"};
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(Windows(model), (std::vector<int64_t>{16, 0, 0, 16}));
  config["layer_types"] = {"full_attention"};
  ExpectRefused(config, "CONFIG_INVALID", "layer_types");
  config["layer_types"] = "full_attention";
  ExpectRefused(config, "CONFIG_INVALID", "layer_types");
  config["layer_types"] = {"full_attention", "full_attention", "full_attention", 1};
  ExpectRefused(config, "CONFIG_INVALID", "layer_types");
  config["layer_types"] = {"full_attention", "full_attention", "full_attention", "linear_attention"};
  ExpectRefused(config, "CONFIG_UNSUPPORTED", "layer_types");
  config["layer_types"] = {"attention", "full_attention", "full_attention", "sliding_attention"};
  EXPECT_THAT(Parse(config), IsOk()) << "an old name";
  config["use_sliding_window"] = false;
  ExpectRefused(config, "CONFIG_INVALID", "layer_types");
  config = Base("MistralForCausalLM");
  config["sliding_window"] = 0;
  ExpectRefused(config, "CONFIG_INVALID", "sliding_window");
  config["sliding_window"] = 16;
  config["use_sliding_window"] = false;
  config["max_window_layers"] = 2;
  ASSERT_OK_AND_ASSIGN(model, Parse(config));
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 16)) << "Mistral reads neither";
  ASSERT_OK_AND_ASSIGN(model, Parse(With("sliding_window", 16)));
  EXPECT_EQ(Windows(model), std::vector<int64_t>(4, 0)) << "Llama has no windows";
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
