#include "workers/targets/gguf_family.h"

#include <algorithm>
#include <string>

#include "workers/targets/targets_errors.h"

namespace bitwright::worker {
namespace {

using Biases = GgufFamily::Biases;
using Caps = GgufFamily::Caps;
using Head = GgufFamily::Head;

// Of most families; the lists below come first.
constexpr GgufName kUsual[] = {
    {"input_layernorm", "attn_norm"},    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},      {"self_attn.v_proj", "attn_v"},
    {"self_attn.o_proj", "attn_output"}, {"self_attn.q_norm", "attn_q_norm"},
    {"self_attn.k_norm", "attn_k_norm"}, {"post_attention_layernorm", "ffn_norm"},
    {"mlp.gate_proj", "ffn_gate"},       {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
};
constexpr GgufName kMixtral[] = {
    {"block_sparse_moe.gate", "ffn_gate_inp"},
    {"block_sparse_moe.experts.0.w1", "ffn_gate_exps"},
    {"block_sparse_moe.experts.0.w3", "ffn_up_exps"},
    {"block_sparse_moe.experts.0.w2", "ffn_down_exps"},
};
constexpr GgufName kQwenMoe[] = {
    {"mlp.gate", "ffn_gate_inp"},
    {"mlp.experts.0.gate_proj", "ffn_gate_exps"},
    {"mlp.experts.0.up_proj", "ffn_up_exps"},
    {"mlp.experts.0.down_proj", "ffn_down_exps"},
    {"mlp.shared_expert_gate", "ffn_gate_inp_shexp"},
    {"mlp.shared_expert.gate_proj", "ffn_gate_shexp"},
    {"mlp.shared_expert.up_proj", "ffn_up_shexp"},
    {"mlp.shared_expert.down_proj", "ffn_down_shexp"},
};
// Norms behind the parts, and where there are some before them, too.
constexpr GgufName kNormsBehind[] = {
    {"post_attention_layernorm", "post_attention_norm"},
    {"pre_feedforward_layernorm", "ffn_norm"},
    {"post_feedforward_layernorm", "post_ffw_norm"},
};
constexpr GgufName kPhi3[] = {{"self_attn.qkv_proj", "attn_qkv"}, {"mlp.gate_up_proj", "ffn_up"}};
constexpr GgufName kGpt2[] = {
    {"ln_1", "attn_norm"}, {"attn.c_attn", "attn_qkv"}, {"attn.c_proj", "attn_output"},
    {"ln_2", "ffn_norm"},  {"mlp.c_fc", "ffn_up"},      {"mlp.c_proj", "ffn_down"},
};

constexpr GgufFamily kFamilies[] = {
    {.family = "llama",
     .architecture = "llama",
     .neighbours = true,
     .biases = Biases::kAll,
     .frequency_factors = true,
     .long_factors = true},
    {.family = "mistral", .architecture = "llama", .neighbours = true, .frequency_factors = true, .long_factors = true},
    {.family = "mixtral",
     .architecture = "llama",
     .names = kMixtral,
     .neighbours = true,
     .experts = true,
     .frequency_factors = true,
     .long_factors = true},
    {.family = "qwen2", .architecture = "qwen2", .square = true, .biases = Biases::kQkv},
    {.family = "qwen3", .architecture = "qwen3", .biases = Biases::kQkv},
    {.family = "qwen2_moe",
     .architecture = "qwen2moe",
     .names = kQwenMoe,
     .square = true,
     .biases = Biases::kQkv,
     .head = Head::kOwn,
     .experts = false},
    {.family = "qwen3_moe", .architecture = "qwen3moe", .names = kQwenMoe, .biases = Biases::kQkv, .experts = true},
    {.family = "gemma",
     .architecture = "gemma",
     .biases = Biases::kQkv,
     .head = Head::kTied,
     .activation = Activation::kGeluTanh,
     .root_embedding = true},
    {.family = "gemma2",
     .architecture = "gemma2",
     .names = kNormsBehind,
     .biases = Biases::kQkv,
     .head = Head::kTied,
     .activation = Activation::kGeluTanh,
     .root_embedding = true,
     .wide_scores_blocks = 46,
     .caps = Caps::kBoth,
     .period = 2},
    {.family = "gemma3_text",
     .architecture = "gemma3",
     .names = kNormsBehind,
     .biases = Biases::kQkv,
     .activation = Activation::kGeluTanh,
     .root_embedding = true,
     .wide_scores_blocks = 62,
     .caps = Caps::kFinal,
     .period = 6},
    {.family = "phi3", .architecture = "phi3", .names = kPhi3, .square = true, .long_factors = true},
    {.family = "granite",
     .architecture = "granite",
     .neighbours = true,
     .biases = Biases::kAll,
     .multipliers = true,
     .frequency_factors = true,
     .long_factors = true},
    // It has places for biases of queries, keys and values, and leaves them out of its sums.
    {.family = "olmo2", .architecture = "olmo2", .names = kNormsBehind, .square = true, .head = Head::kOwn},
    {.family = "gpt2",
     .architecture = "gpt2",
     .names = kGpt2,
     .square = true,
     .biases = Biases::kAll,
     .activation = Activation::kGeluTanh,
     .layer_norms = true},
};

std::string_view Find(std::span<const GgufName> names, std::string_view theirs) {
  const auto found = std::ranges::find(names, theirs, &GgufName::theirs);
  return found == names.end() ? std::string_view() : found->ours;
}

}  // namespace

absl::StatusOr<const GgufFamily*> FindGgufFamily(std::string_view model_type) {
  const auto found = std::ranges::find(kFamilies, model_type, &GgufFamily::family);
  if (found != std::end(kFamilies)) return &*found;
  return GgufCannotStoreError("the family '" + std::string(model_type) + "'", "its names are not known here");
}

std::string_view GgufNameOf(const GgufFamily& family, std::string_view theirs) {
  const std::string_view own = Find(family.names, theirs);
  return own.empty() ? Find(kUsual, theirs) : own;
}

}  // namespace bitwright::worker
