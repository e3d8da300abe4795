#include <cmath>
#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/families/llama_block.h"
#include "workers/families/table.h"

// Gemma, Gemma 2, and the text model of Gemma 3. Keys and defaults: transformers 5.23, configuration_gemma*.py.
namespace bitwright::worker {
namespace {

using nlohmann::json;
using K = ConfigKey;
constexpr unsigned kSize = K::kInt, kMaybe = K::kInt | K::kNull, kNumber = K::kInt | K::kFraction;
constexpr unsigned kMaybeFraction = K::kFraction | K::kNull;

constexpr ConfigKey kGemmaKeys[] = {
    {"hidden_size", kSize, 3072},
    {"intermediate_size", kSize, 24576},
    {"num_hidden_layers", kSize, 28},
    {"num_attention_heads", kSize, 16},
    {"num_key_value_heads", kSize, 16},
    {"head_dim", kSize, 256},
    {"vocab_size", kSize, 256000},
    {"max_position_embeddings", kSize, 8192},
    {"rms_norm_eps", K::kFraction, 1e-6},
    {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 1},
    {"attention_bias", K::kBool, 0},
    {"use_bidirectional_attention", K::kBool | K::kNull},
    {"pad_token_id", kMaybe, 0},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kGemma2Keys[] = {
    {"hidden_size", kSize, 2304},
    {"intermediate_size", kSize, 9216},
    {"num_hidden_layers", kSize, 26},
    {"num_attention_heads", kSize, 8},
    {"num_key_value_heads", kSize, 4},
    {"head_dim", kSize, 256},
    {"vocab_size", kSize, 256000},
    {"max_position_embeddings", kSize, 8192},
    {"rms_norm_eps", K::kFraction, 1e-6},
    {"hidden_activation", K::kText},
    {"tie_word_embeddings", K::kBool, 1},
    {"attention_bias", K::kBool, 0},
    {"query_pre_attn_scalar", kSize, 256},
    {"sliding_window", kMaybe, 4096},
    {"final_logit_softcapping", kMaybeFraction, 30},
    {"attn_logit_softcapping", kMaybeFraction, 50},
    {"use_bidirectional_attention", K::kBool | K::kNull},
    {"pad_token_id", kMaybe, 0},
    {"attention_dropout", kNumber | K::kNull},
};

constexpr ConfigKey kGemma3Keys[] = {
    {"hidden_size", kSize, 2304},
    {"intermediate_size", kSize, 9216},
    {"num_hidden_layers", kSize, 26},
    {"num_attention_heads", kSize, 8},
    {"num_key_value_heads", kSize, 4},
    {"head_dim", kSize, 256},
    {"vocab_size", kSize, 262208},
    {"max_position_embeddings", kSize, 131072},
    {"rms_norm_eps", K::kFraction, 1e-6},
    {"hidden_activation", K::kText},
    {"tie_word_embeddings", K::kBool, 1},
    {"attention_bias", K::kBool, 0},
    {"query_pre_attn_scalar", kSize, 256},
    {"sliding_window", kMaybe, 4096},
    {"sliding_window_pattern", kSize, 6},
    {"final_logit_softcapping", kMaybeFraction},
    {"attn_logit_softcapping", kMaybeFraction},
    {"use_bidirectional_attention", K::kBool | K::kNull},
    {"pad_token_id", kMaybe, 0},
    {"attention_dropout", kNumber | K::kNull},
};

// 0 where there is none. CONFIG_INVALID.
absl::StatusOr<double> SoftCap(const ConfigReader& from, const char* key) {
  const double cap = from.Number(key);
  if (from.Key(key).is_number() && !(std::isfinite(cap) && cap > 0)) return ConfigInvalidError(key, "is not above 0");
  return cap;
}

absl::StatusOr<LlamaPlan> ReadGemmaPlan(const ConfigReader& from, const SizeKeys& keys, const char* activation_key) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from, keys, "rms_norm_eps", activation_key));
  ABSL_RETURN_IF_ERROR(from.Require("use_bidirectional_attention", false));
  // "gelu_pytorch_tanh" is the default of the classes.
  if (!from.Key(activation_key).is_string()) plan.activation = Activation::kGeluTanh;
  plan.plus_one = true;
  plan.qkv_bias = plan.output_bias = from.Flag("attention_bias");
  plan.attention_bias_key = "attention_bias";
  return plan;
}

// Every `pattern`-th layer sees all tokens where layer_types says nothing.
absl::Status ReadGemmaLayers(const ConfigReader& from, int64_t pattern, LlamaPlan& plan) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> types, ReadLayerTypes(from, plan.sizes.layers));
  ABSL_ASSIGN_OR_RETURN(const int64_t window, from.Size("sliding_window"));
  ABSL_ASSIGN_OR_RETURN(const int64_t scalar, from.Size("query_pre_attn_scalar"));
  plan.scale = 1 / std::sqrt(static_cast<double>(scalar));
  plan.norms = LlamaPlan::Norms::kAround;
  for (size_t i = 0; i < plan.reach.size(); ++i) {
    const bool slides = types.empty() ? (static_cast<int64_t>(i) + 1) % pattern != 0 : types[i] == "sliding_attention";
    if (!slides) continue;
    plan.reach[i] = window;
    plan.rope[i] = 1;
  }
  return absl::OkStatus();
}

ModelConfig GemmaConfig(const ConfigReader& from, const LlamaPlan& plan, std::vector<RopeConfig> ropes) {
  ModelConfig config = LlamaConfig(from, plan, std::move(ropes));
  config.embedding.factor = std::sqrt(static_cast<double>(plan.sizes.hidden));
  return config;
}

absl::StatusOr<ModelConfig> ReadGemma(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadGemmaPlan(from, {}, "hidden_act"));
  if (from.Key("hidden_act") == "gelu") plan.activation = Activation::kGeluTanh;  // what the class makes of it
  ABSL_ASSIGN_OR_RETURN(RopeConfig rope, ReadRopeConfig(from.config(), plan.sizes.max_positions, plan.sizes.head_dim));
  return GemmaConfig(from, plan, {std::move(rope)});
}

absl::StatusOr<ModelConfig> ReadGemma2(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadGemmaPlan(from, {.heads_divide = true}, "hidden_activation"));
  ABSL_RETURN_IF_ERROR(ReadGemmaLayers(from, 2, plan));
  ABSL_ASSIGN_OR_RETURN(plan.soft_cap, SoftCap(from, "attn_logit_softcapping"));
  ABSL_ASSIGN_OR_RETURN(RopeConfig rope, ReadRopeConfig(from.config(), plan.sizes.max_positions, plan.sizes.head_dim));
  ModelConfig config = GemmaConfig(from, plan, {rope, rope});
  ABSL_ASSIGN_OR_RETURN(config.head.soft_cap, SoftCap(from, "final_logit_softcapping"));
  return config;
}

// The parameters of one kind of layer, in a config of their own: rope_scaling is about the full layers alone, and each
// kind has its key for theta beside them.
absl::StatusOr<RopeConfig> ReadGemma3Rope(const ConfigReader& from, const LlamaPlan& plan, const char* type) {
  const json& config = from.config();
  const bool full = std::string_view(type) == "full_attention";
  json parameters = json::object();
  if (const auto given = config.find("rope_parameters"); given != config.end() && !given->is_null()) {
    if (!given->is_object()) return ConfigInvalidError("rope_parameters", "is not an object");
    for (const auto& item : given->items()) {
      if (item.key() == "full_attention" || item.key() == "sliding_attention") continue;
      return ConfigUnsupportedError("rope_parameters", item.key(), "full_attention and sliding_attention");
    }
    if (given->contains(type) && !(*given)[type].is_null()) parameters = (*given)[type];
    if (!parameters.is_object()) return ConfigInvalidError("rope_parameters", "holds something that is no object");
  }
  if (const auto scaling = config.find("rope_scaling"); full && scaling != config.end() && !scaling->is_null()) {
    if (!scaling->is_object()) return ConfigInvalidError("rope_scaling", "is not an object");
    parameters.update(*scaling);
  }
  json alone = {{"rope_parameters", parameters}};
  const char* theta = full ? "rope_theta" : "rope_local_base_freq";
  for (const char* key : {theta, "original_max_position_embeddings", "partial_rotary_factor"}) {
    if (config.contains(key)) alone[key] = config[key];
  }
  return ReadRopeConfig(alone, plan.sizes.max_positions, plan.sizes.head_dim,
                        {.theta = theta, .default_theta = full ? 1e6 : 1e4});
}

// The class declares attn_logit_softcapping, and its attention does not read it.
absl::StatusOr<ModelConfig> ReadGemma3(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadGemmaPlan(from, {.heads_divide = true}, "hidden_activation"));
  ABSL_ASSIGN_OR_RETURN(const int64_t pattern, from.Size("sliding_window_pattern"));
  ABSL_RETURN_IF_ERROR(ReadGemmaLayers(from, pattern, plan));
  plan.q_norm = plan.k_norm = plan.sizes.head_dim;
  ABSL_ASSIGN_OR_RETURN(RopeConfig full, ReadGemma3Rope(from, plan, "full_attention"));
  ABSL_ASSIGN_OR_RETURN(RopeConfig sliding, ReadGemma3Rope(from, plan, "sliding_attention"));
  ModelConfig config = GemmaConfig(from, plan, {std::move(full), std::move(sliding)});
  ABSL_ASSIGN_OR_RETURN(config.head.soft_cap, SoftCap(from, "final_logit_softcapping"));
  return config;
}

}  // namespace

const Family kGemma{"gemma", "GemmaForCausalLM", kGemmaKeys, ReadGemma};
const Family kGemma2{"gemma2", "Gemma2ForCausalLM", kGemma2Keys, ReadGemma2};
const Family kGemma3{"gemma3_text", "Gemma3ForCausalLM", kGemma3Keys, ReadGemma3};

}  // namespace bitwright::worker
