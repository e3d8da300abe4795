#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/families/llama_block.h"
#include "workers/families/table.h"

// Mixtures of experts behind Llama's attention: Mixtral, Qwen2-MoE, Qwen3-MoE. Keys and defaults: transformers 5.23,
// configuration_*.py of each.
namespace bitwright::worker {
namespace {

using nlohmann::json;
using K = ConfigKey;
constexpr unsigned kSize = K::kInt, kMaybe = K::kInt | K::kNull, kNumber = K::kInt | K::kFraction;

constexpr ConfigKey kMixtralKeys[] = {
    {"hidden_size", kSize, 4096},          {"intermediate_size", kSize, 14336},
    {"num_hidden_layers", kSize, 32},      {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kMaybe, 8},    {"head_dim", kMaybe},
    {"vocab_size", kSize, 32000},          {"max_position_embeddings", kSize, 131072},
    {"rms_norm_eps", K::kFraction, 1e-5},  {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0},  {"sliding_window", kMaybe},
    {"num_experts_per_tok", kSize, 2},     {"num_local_experts", kSize, 8},
    {"output_router_logits", K::kBool},    {"router_aux_loss_coef", K::kFraction},
    {"router_jitter_noise", K::kFraction},  // of training
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kQwen2MoeKeys[] = {
    {"hidden_size", kSize, 2048},           {"intermediate_size", kSize, 5632},
    {"num_hidden_layers", kSize, 24},       {"num_attention_heads", kSize, 16},
    {"num_key_value_heads", kMaybe, 16},    {"head_dim", kSize},  // not declared, but read where it is given
    {"vocab_size", kSize, 151936},          {"max_position_embeddings", kSize, 32768},
    {"rms_norm_eps", K::kFraction, 1e-6},   {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0},   {"qkv_bias", K::kBool, 1},
    {"use_sliding_window", K::kBool, 0},    {"sliding_window", kMaybe, 4096},
    {"max_window_layers", kSize, 28},       {"decoder_sparse_step", kSize, 1},
    {"moe_intermediate_size", kSize, 1408}, {"shared_expert_intermediate_size", kSize, 5632},
    {"num_experts_per_tok", kSize, 4},      {"num_experts", kSize, 60},
    {"norm_topk_prob", K::kBool, 0},        {"mlp_only_layers", K::kInts | K::kNull},
    {"output_router_logits", K::kBool},     {"router_aux_loss_coef", K::kFraction},
    {"attention_dropout", kNumber},
};

constexpr ConfigKey kQwen3MoeKeys[] = {
    {"hidden_size", kSize, 2048},         {"intermediate_size", kSize, 6144},
    {"num_hidden_layers", kSize, 24},     {"num_attention_heads", kSize, 32},
    {"num_key_value_heads", kSize, 4},    {"head_dim", kSize},  // not declared, but read where it is given
    {"vocab_size", kSize, 151936},        {"max_position_embeddings", kSize, 32768},
    {"rms_norm_eps", K::kFraction, 1e-6}, {"hidden_act", K::kText},
    {"tie_word_embeddings", K::kBool, 0}, {"attention_bias", K::kBool, 0},
    {"use_sliding_window", K::kBool, 0},  {"sliding_window", kMaybe, 4096},
    {"decoder_sparse_step", kSize, 1},    {"moe_intermediate_size", kSize, 768},
    {"num_experts_per_tok", kSize, 8},    {"num_experts", kSize},  // the older name of the next
    {"num_local_experts", kSize},                                  // 128 where neither is there
    {"norm_topk_prob", K::kBool, 0},      {"mlp_only_layers", K::kInts | K::kNull},
    {"output_router_logits", K::kBool},   {"router_aux_loss_coef", K::kFraction},
    {"attention_dropout", kNumber},
};

struct ExpertsPlan {
  LlamaPlan base;
  std::string part = "mlp.";  // prefix of the feed-forward part
  const char *gate = "gate_proj", *up = "up_proj", *down = "down_proj";
  int64_t experts = 0;
  int64_t chosen = 0;
  int64_t inner = 0;
  int64_t shared = 0;  // width of the shared expert; 0: none
  bool normalized = false;
  std::vector<bool> sparse;  // by layer; where false, one dense part
};

// Each matrix of an expert is a tensor with a name; the largest published models have about 70,000.
constexpr int64_t kMaxExpertMatrices = int64_t{1} << 19;

absl::Status ReadExperts(const ConfigReader& from, const char* experts_key, int64_t fallback, ExpertsPlan& plan) {
  ABSL_ASSIGN_OR_RETURN(plan.experts, from.Size(experts_key, fallback));
  const int64_t most = kMaxExpertMatrices / (3 * plan.base.sizes.layers);
  if (plan.experts > most) {
    return ConfigInvalidError(experts_key, "is above " + std::to_string(most) + ", the most that " +
                                               std::to_string(plan.base.sizes.layers) + " layers may have");
  }
  ABSL_ASSIGN_OR_RETURN(plan.chosen, from.Size("num_experts_per_tok"));
  if (plan.chosen > plan.experts) {
    return ConfigInvalidError("num_experts_per_tok", "is above the number of experts, " + std::to_string(plan.experts));
  }
  plan.sparse.assign(static_cast<size_t>(plan.base.sizes.layers), true);
  return absl::OkStatus();
}

// Every decoder_sparse_step-th layer has experts, unless mlp_only_layers names it.
absl::Status ReadSparseLayers(const ConfigReader& from, ExpertsPlan& plan) {
  ABSL_ASSIGN_OR_RETURN(const int64_t step, from.Size("decoder_sparse_step"));
  const json dense = from.Key("mlp_only_layers");
  for (size_t i = 0; i < plan.sparse.size(); ++i) {
    plan.sparse[i] = (static_cast<int64_t>(i) + 1) % step == 0;
    for (const json& layer : dense) {
      if (layer == i) plan.sparse[i] = false;
    }
  }
  return absl::OkStatus();
}

UnitSpec ExpertsUnit(const ExpertsPlan& plan, const std::string& prefix, const std::string& name,
                     std::initializer_list<const char*> parts, int64_t out, int64_t in) {
  UnitSpec unit{prefix + "experts." + name, {}, plan.experts};
  for (int64_t e = 0; e < plan.experts; ++e) {
    for (const char* part : parts) {
      unit.linears.push_back({prefix + "experts." + std::to_string(e) + "." + part, out, in});
    }
  }
  return unit;
}

BlockProgram ExpertsBlock(const ExpertsPlan& plan, int64_t block) {
  if (!plan.sparse[static_cast<size_t>(block)]) return LlamaBlock(plan.base, block);
  const int64_t hidden = plan.base.sizes.hidden;
  BlockBuilder builder("model.layers." + std::to_string(block) + ".", hidden);
  const std::string prefix = builder.prefix() + plan.part;
  int stream = LlamaAttention(builder, plan.base, block).stream;
  const std::string norm = "post_attention_layernorm";
  const int x = builder.Norm(stream, LlamaNorm(plan.base, builder.prefix() + norm, hidden), norm);
  if (plan.shared > 0) {
    const std::string shared = prefix + "shared_expert.";
    const int delta = builder.GatedMlp(x, GateUpUnit(shared, hidden, plan.shared),
                                       DownUnit(shared, hidden, plan.shared), plan.base.activation);
    const int gate = builder.KeptLinear(x, OneLinear(prefix + "shared_expert_gate", 1, hidden), "shared gate");
    stream = builder.AddGated(stream, gate, delta);
  }
  const int logits = builder.KeptLinear(x, OneLinear(prefix + "gate", plan.experts, hidden), "router");
  return builder.Finish(
      builder.Experts(x, logits, ExpertsUnit(plan, prefix, "gate_up_proj", {plan.gate, plan.up}, plan.inner, hidden),
                      ExpertsUnit(plan, prefix, "down_proj", {plan.down}, hidden, plan.inner), plan.chosen,
                      plan.normalized, plan.base.activation, stream));
}

absl::StatusOr<ModelConfig> ExpertsConfig(const ConfigReader& from, ExpertsPlan plan, const RopeKeys& keys = {}) {
  ABSL_ASSIGN_OR_RETURN(RopeConfig rope,
                        ReadRopeConfig(from.config(), plan.base.sizes.max_positions, plan.base.sizes.head_dim, keys));
  ModelConfig config = LlamaConfig(from, plan.base, {std::move(rope)});
  config.block = [plan = std::move(plan)](int64_t block) { return ExpertsBlock(plan, block); };
  return config;
}

absl::StatusOr<ModelConfig> ReadMixtral(const ConfigReader& from) {
  ExpertsPlan plan;
  ABSL_ASSIGN_OR_RETURN(plan.base, ReadLlamaPlan(from));
  ABSL_RETURN_IF_ERROR(ReadExperts(from, "num_local_experts", 0, plan));
  ABSL_ASSIGN_OR_RETURN(const int64_t window, from.Size("sliding_window"));
  std::fill(plan.base.reach.begin(), plan.base.reach.end(), window);
  plan.part = "block_sparse_moe.";
  plan.gate = "w1";
  plan.up = "w3";
  plan.down = "w2";
  plan.inner = plan.base.sizes.intermediate;
  plan.normalized = true;
  return ExpertsConfig(from, std::move(plan), {.default_theta = 1e6});
}

absl::StatusOr<ModelConfig> ReadQwen2Moe(const ConfigReader& from) {
  ExpertsPlan plan;
  ABSL_ASSIGN_OR_RETURN(plan.base, ReadLlamaPlan(from));
  ABSL_RETURN_IF_ERROR(ReadExperts(from, "num_experts", 0, plan));
  ABSL_RETURN_IF_ERROR(ReadSparseLayers(from, plan));
  plan.base.qkv_bias = from.Flag("qkv_bias");
  plan.base.attention_bias_key = "qkv_bias";
  plan.normalized = from.Flag("norm_topk_prob");
  ABSL_ASSIGN_OR_RETURN(plan.inner, from.Size("moe_intermediate_size"));
  ABSL_ASSIGN_OR_RETURN(plan.shared, from.Size("shared_expert_intermediate_size"));
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> types, ReadLayerTypes(from, plan.base.sizes.layers));
  const bool used = from.Flag("use_sliding_window");
  ABSL_ASSIGN_OR_RETURN(const int64_t window, used ? from.Size("sliding_window") : absl::StatusOr<int64_t>(0));
  for (size_t i = 0; i < plan.base.reach.size(); ++i) {
    const bool early = static_cast<double>(i) < from.Number("max_window_layers");
    const bool slides = types.empty() ? used && i % 2 == 0 && early : types[i] == "sliding_attention";
    if (slides && window == 0) {
      return ConfigUnsupportedError("layer_types", "sliding_attention",
                                    "full_attention where no sliding_window is used");
    }
    if (slides) plan.base.reach[i] = window;
  }
  return ExpertsConfig(from, std::move(plan));
}

absl::StatusOr<ModelConfig> ReadQwen3Moe(const ConfigReader& from) {
  ExpertsPlan plan;
  ABSL_ASSIGN_OR_RETURN(plan.base, ReadLlamaPlan(from));
  ABSL_ASSIGN_OR_RETURN(const int64_t older, from.Size("num_experts", 128));
  ABSL_RETURN_IF_ERROR(ReadExperts(from, "num_local_experts", older, plan));
  ABSL_RETURN_IF_ERROR(ReadSparseLayers(from, plan));
  plan.base.qkv_bias = plan.base.output_bias = from.Flag("attention_bias");
  plan.base.attention_bias_key = "attention_bias";
  plan.base.q_norm = plan.base.k_norm = plan.base.sizes.head_dim;
  plan.normalized = from.Flag("norm_topk_prob");
  ABSL_ASSIGN_OR_RETURN(plan.inner, from.Size("moe_intermediate_size"));
  if (from.Flag("use_sliding_window")) {
    ABSL_ASSIGN_OR_RETURN(const int64_t window, from.Size("sliding_window"));
    std::fill(plan.base.reach.begin(), plan.base.reach.end(), window);
  }
  return ExpertsConfig(from, std::move(plan));
}

}  // namespace

const Family kMixtral{"mixtral", "MixtralForCausalLM", kMixtralKeys, ReadMixtral};
const Family kQwen2Moe{"qwen2_moe", "Qwen2MoeForCausalLM", kQwen2MoeKeys, ReadQwen2Moe};
const Family kQwen3Moe{"qwen3_moe", "Qwen3MoeForCausalLM", kQwen3MoeKeys, ReadQwen3Moe};

}  // namespace bitwright::worker
