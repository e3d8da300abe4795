#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/families/llama_block.h"
#include "workers/families/table.h"

// Llama, and the families that differ from it by flags: Mistral, Qwen2, Qwen3, Phi-3, Granite, OLMo 2, StableLM. Keys
// and defaults: transformers 5.23, configuration_*.py of each.
namespace bitwright::worker {
namespace {

using K = ConfigKey;
constexpr unsigned kSize = K::kInt, kMaybe = K::kInt | K::kNull, kNumber = K::kInt | K::kFraction;

constexpr ConfigKey kLlamaKeys[] = {
    {"hidden_size", kSize, 4096},       {"intermediate_size", kSize, 11008},       {"num_hidden_layers", kSize, 32},
    {"num_attention_heads", kSize, 32}, {"num_key_value_heads", kMaybe},           {"head_dim", kMaybe},
    {"vocab_size", kSize, 32000},       {"max_position_embeddings", kSize, 2048},  {"rms_norm_eps", K::kFraction, 1e-6},
    {"hidden_act", K::kText},           {"tie_word_embeddings", K::kBool, 0},      {"attention_bias", K::kBool, 0},
    {"mlp_bias", K::kBool, 0},          {"attention_dropout", kNumber | K::kNull}, {"pretraining_tp", kMaybe},
};

constexpr ConfigKey kMistralKeys[] = {
    {"hidden_size", kSize, 4096},         {"intermediate_size", kSize, 14336},
    {"num_hidden_layers", kSize, 32},     {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kSize, 8},    {"head_dim", kMaybe},
    {"vocab_size", kSize, 32000},         {"max_position_embeddings", kSize, 131072},
    {"rms_norm_eps", K::kFraction, 1e-6}, {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0}, {"sliding_window", kMaybe, 4096},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kQwen2Keys[] = {
    {"hidden_size", kSize, 4096},         {"intermediate_size", kSize, 22016},
    {"num_hidden_layers", kSize, 32},     {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kMaybe, 32},  {"head_dim", kSize},  // not declared, but read where it is given
    {"vocab_size", kSize, 151936},        {"max_position_embeddings", kSize, 32768},
    {"rms_norm_eps", K::kFraction, 1e-6}, {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0}, {"sliding_window", kMaybe, 4096},
    {"use_sliding_window", K::kBool, 0},  {"max_window_layers", kSize, 28},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kQwen3Keys[] = {
    {"hidden_size", kSize, 4096},       {"intermediate_size", kSize, 22016},       {"num_hidden_layers", kSize, 32},
    {"num_attention_heads", kSize, 32}, {"num_key_value_heads", kMaybe, 32},       {"head_dim", kSize, 128},
    {"vocab_size", kSize, 151936},      {"max_position_embeddings", kSize, 32768}, {"rms_norm_eps", K::kFraction, 1e-6},
    {"hidden_act", K::kText},           {"tie_word_embeddings", K::kBool, 0},      {"attention_bias", K::kBool, 0},
    {"sliding_window", kMaybe, 4096},   {"use_sliding_window", K::kBool, 0},       {"max_window_layers", kSize, 28},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kPhi3Keys[] = {
    {"hidden_size", kSize, 3072},
    {"intermediate_size", kSize, 8192},
    {"num_hidden_layers", kSize, 32},
    {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kMaybe},
    {"head_dim", kSize},  // not declared, but read where it is given
    {"vocab_size", kSize, 32064},
    {"max_position_embeddings", kSize, 4096},
    {"original_max_position_embeddings", kSize, 4096},
    {"rms_norm_eps", K::kFraction, 1e-5},
    {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0},
    {"sliding_window", kMaybe},
    {"pad_token_id", kMaybe, 32000},
    {"resid_pdrop", kNumber},
    {"embd_pdrop", kNumber},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kGraniteKeys[] = {
    {"hidden_size", kSize, 4096},
    {"intermediate_size", kSize, 11008},
    {"num_hidden_layers", kSize, 32},
    {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kMaybe},
    {"head_dim", kSize},  // not declared, but read where it is given
    {"vocab_size", kSize, 32000},
    {"max_position_embeddings", kSize, 2048},
    {"rms_norm_eps", K::kFraction, 1e-6},
    {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0},
    {"attention_bias", K::kBool, 0},
    {"mlp_bias", K::kBool, 0},
    {"embedding_multiplier", kNumber, 1},
    {"logits_scaling", kNumber, 1},
    {"residual_multiplier", kNumber, 1},
    {"attention_multiplier", kNumber, 1},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kOlmo2Keys[] = {
    {"hidden_size", kSize, 4096},         {"intermediate_size", kSize, 11008},
    {"num_hidden_layers", kSize, 32},     {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kMaybe},      {"head_dim", kSize},  // not declared, but read where it is given
    {"vocab_size", kSize, 50304},         {"max_position_embeddings", kSize, 2048},
    {"rms_norm_eps", K::kFraction, 1e-5}, {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0}, {"attention_bias", K::kBool, 0},
    {"pad_token_id", kMaybe, 1},          {"attention_dropout", kNumber},
};

constexpr ConfigKey kStableLmKeys[] = {
    {"hidden_size", kSize, 2560},
    {"intermediate_size", kSize, 6912},
    {"num_hidden_layers", kSize, 32},
    {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kSize, 32},
    {"vocab_size", kSize, 50304},
    {"max_position_embeddings", kSize, 4096},
    {"layer_norm_eps", K::kFraction, 1e-5},
    {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0},
    {"use_qkv_bias", K::kBool, 0},
    {"qk_layernorm", K::kBool, 0},
    {"use_parallel_residual", K::kBool, 0},
    {"hidden_dropout", kNumber},
    {"attention_dropout", kNumber},
};

absl::StatusOr<ModelConfig> WithOneRope(const ConfigReader& from, const LlamaPlan& plan, const RopeKeys& keys = {}) {
  ABSL_ASSIGN_OR_RETURN(RopeConfig rope,
                        ReadRopeConfig(from.config(), plan.sizes.max_positions, plan.sizes.head_dim, keys));
  return LlamaConfig(from, plan, {std::move(rope)});
}

absl::StatusOr<ModelConfig> ReadLlama(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from, {.heads_divide = true}));
  ABSL_RETURN_IF_ERROR(ReadLayerTypes(from, plan.sizes.layers).status());
  plan.qkv_bias = plan.output_bias = from.Flag("attention_bias");
  plan.mlp_bias = from.Flag("mlp_bias");
  plan.attention_bias_key = "attention_bias";
  plan.mlp_bias_key = "mlp_bias";
  return WithOneRope(from, plan);
}

// One window for all layers, and none where sliding_window is null.
absl::StatusOr<ModelConfig> ReadMistral(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from));
  ABSL_RETURN_IF_ERROR(ReadLayerTypes(from, plan.sizes.layers).status());
  ABSL_ASSIGN_OR_RETURN(const int64_t window, from.Size("sliding_window"));
  std::fill(plan.reach.begin(), plan.reach.end(), window);
  return WithOneRope(from, plan);
}

// A window where use_sliding_window is true: for the layers that layer_types names, else from max_window_layers on.
absl::Status ReadQwenWindows(const ConfigReader& from, LlamaPlan& plan) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> types, ReadLayerTypes(from, plan.sizes.layers));
  ABSL_ASSIGN_OR_RETURN(const int64_t window, from.Size("sliding_window"));
  const int64_t used = from.Flag("use_sliding_window") ? window : 0;
  const double first = from.Number("max_window_layers");
  for (size_t i = 0; i < plan.reach.size(); ++i) {
    const bool slides = types.empty() ? first <= static_cast<double>(i) : types[i] == "sliding_attention";
    if (!types.empty() && slides && used == 0) {
      return ConfigInvalidError("layer_types", "names sliding layers, but there is no sliding_window in use");
    }
    if (slides) plan.reach[i] = used;
  }
  return absl::OkStatus();
}

absl::StatusOr<ModelConfig> ReadQwen2(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from));
  plan.qkv_bias = true;
  ABSL_RETURN_IF_ERROR(ReadQwenWindows(from, plan));
  return WithOneRope(from, plan);
}

absl::StatusOr<ModelConfig> ReadQwen3(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from));
  plan.qkv_bias = plan.output_bias = from.Flag("attention_bias");
  plan.attention_bias_key = "attention_bias";
  plan.q_norm = plan.k_norm = plan.sizes.head_dim;
  ABSL_RETURN_IF_ERROR(ReadQwenWindows(from, plan));
  return WithOneRope(from, plan);
}

absl::StatusOr<ModelConfig> ReadPhi3(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from));
  plan.fused = true;
  ABSL_ASSIGN_OR_RETURN(const int64_t window, from.Size("sliding_window"));
  std::fill(plan.reach.begin(), plan.reach.end(), window);
  // The class declares original_max_position_embeddings with a default of its own, beside the rope's parameters.
  nlohmann::json config = from.config();
  config["original_max_position_embeddings"] = from.Key("original_max_position_embeddings");
  ABSL_ASSIGN_OR_RETURN(RopeConfig rope, ReadRopeConfig(config, plan.sizes.max_positions, plan.sizes.head_dim,
                                                        {.partial = true, .only_longrope = true}));
  return LlamaConfig(from, plan, {std::move(rope)});
}

absl::StatusOr<ModelConfig> ReadGranite(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from, {.heads_divide = true}));
  plan.qkv_bias = plan.output_bias = from.Flag("attention_bias");
  plan.mlp_bias = from.Flag("mlp_bias");
  plan.attention_bias_key = "attention_bias";
  plan.mlp_bias_key = "mlp_bias";
  ABSL_ASSIGN_OR_RETURN(plan.scale, from.Factor("attention_multiplier"));
  ABSL_ASSIGN_OR_RETURN(plan.residual_factor, from.Factor("residual_multiplier"));
  ABSL_ASSIGN_OR_RETURN(ModelConfig config, WithOneRope(from, plan));
  ABSL_ASSIGN_OR_RETURN(config.embedding.factor, from.Factor("embedding_multiplier"));
  ABSL_ASSIGN_OR_RETURN(const double scaling, from.Factor("logits_scaling"));
  config.head.factor = 1 / scaling;
  return config;
}

absl::StatusOr<ModelConfig> ReadOlmo2(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from, {.heads_divide = true}));
  plan.norms = LlamaPlan::Norms::kAfter;
  plan.qkv_bias = plan.output_bias = from.Flag("attention_bias");
  plan.attention_bias_key = "attention_bias";
  plan.q_norm = plan.sizes.heads * plan.sizes.head_dim;
  plan.k_norm = plan.sizes.kv_heads * plan.sizes.head_dim;
  return WithOneRope(from, plan);
}

absl::StatusOr<ModelConfig> ReadStableLm(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(LlamaPlan plan, ReadLlamaPlan(from, {.heads_divide = true}, "layer_norm_eps"));
  ABSL_RETURN_IF_ERROR(from.Require("qk_layernorm", false));
  plan.centered = true;
  plan.qkv_bias = from.Flag("use_qkv_bias");
  plan.attention_bias_key = "use_qkv_bias";
  plan.parallel = from.Flag("use_parallel_residual");
  return WithOneRope(from, plan, {.default_rotary_factor = 0.25, .partial = true});
}

}  // namespace

const Family kLlama{"llama", "LlamaForCausalLM", kLlamaKeys, ReadLlama};
const Family kMistral{"mistral", "MistralForCausalLM", kMistralKeys, ReadMistral};
const Family kQwen2{"qwen2", "Qwen2ForCausalLM", kQwen2Keys, ReadQwen2};
const Family kQwen3{"qwen3", "Qwen3ForCausalLM", kQwen3Keys, ReadQwen3};
const Family kPhi3{"phi3", "Phi3ForCausalLM", kPhi3Keys, ReadPhi3};
const Family kGranite{"granite", "GraniteForCausalLM", kGraniteKeys, ReadGranite};
const Family kOlmo2{"olmo2", "Olmo2ForCausalLM", kOlmo2Keys, ReadOlmo2};
const Family kStableLm{"stablelm", "StableLmForCausalLM", kStableLmKeys, ReadStableLm};

}  // namespace bitwright::worker
