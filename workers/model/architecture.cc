#include "workers/model/architecture.h"

namespace bitwright::worker {

BlockSpec DescribeBlock(const ModelConfig& config, int64_t block) {
  BlockSpec spec;
  spec.prefix = "model.layers." + std::to_string(block) + ".";
  const std::string attention = spec.prefix + "self_attn.";
  const std::string mlp = spec.prefix + "mlp.";
  const int64_t q = config.heads * config.head_dim;
  const int64_t kv = config.kv_heads * config.head_dim;
  spec.units[0] = {attention + "qkv_proj",
                   TapPoint::kAttention,
                   {{attention + "q_proj", q, config.hidden, config.qkv_bias},
                    {attention + "k_proj", kv, config.hidden, config.qkv_bias},
                    {attention + "v_proj", kv, config.hidden, config.qkv_bias}}};
  spec.units[1] = {
      attention + "o_proj", TapPoint::kOutput, {{attention + "o_proj", config.hidden, q, config.output_bias}}};
  spec.units[2] = {mlp + "gate_up_proj",
                   TapPoint::kMlp,
                   {{mlp + "gate_proj", config.intermediate, config.hidden, config.mlp_bias},
                    {mlp + "up_proj", config.intermediate, config.hidden, config.mlp_bias}}};
  spec.units[3] = {
      mlp + "down_proj", TapPoint::kDown, {{mlp + "down_proj", config.hidden, config.intermediate, config.mlp_bias}}};
  spec.attention_norm = spec.prefix + "input_layernorm.weight";
  spec.mlp_norm = spec.prefix + "post_attention_layernorm.weight";
  if (config.qk_norm) {
    spec.q_norm = attention + "q_norm.weight";
    spec.k_norm = attention + "k_norm.weight";
  }
  return spec;
}

std::vector<TensorSpec> RequiredTensors(const ModelConfig& config) {
  std::vector<TensorSpec> all;
  all.push_back({kEmbedding, {config.vocab, config.hidden}, "is the token embedding"});
  all.push_back({kFinalNorm, {config.hidden}, "is the weight of the final norm"});
  if (!config.tied_embeddings)
    all.push_back({kHead,
                   {config.vocab, config.hidden},
                   "is the output head; where config.json has tie_word_embeddings true, the embedding is"});
  for (int64_t b = 0; b < config.layers; ++b) {
    const BlockSpec block = DescribeBlock(config, b);
    const std::string role = "belongs to block " + std::to_string(b) + " of " + std::to_string(config.layers);
    all.push_back({block.attention_norm, {config.hidden}, role});
    all.push_back({block.mlp_norm, {config.hidden}, role});
    if (config.qk_norm) {
      all.push_back({block.q_norm, {config.head_dim}, role});
      all.push_back({block.k_norm, {config.head_dim}, role});
    }
    for (const UnitSpec& unit : block.units) {
      for (const LinearSpec& linear : unit.linears) {
        all.push_back({linear.name + ".weight", {linear.out, linear.in}, role});
        if (linear.bias) all.push_back({linear.name + ".bias", {linear.out}, role});
      }
    }
  }
  return all;
}

}  // namespace bitwright::worker
