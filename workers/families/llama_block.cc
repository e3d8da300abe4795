#include "workers/families/llama_block.h"

#include <cmath>

#include "proto/base/status_macros.h"

namespace bitwright::worker {
namespace {

using Norms = LlamaPlan::Norms;

constexpr char kEmbedding[] = "model.embed_tokens.weight";
constexpr char kHead[] = "lm_head.weight";

UnitSpec QkvUnit(const LlamaPlan& plan, const std::string& attention) {
  const DecoderSizes& s = plan.sizes;
  const int64_t q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
  const std::string name = attention + "qkv_proj";
  if (plan.fused) return {name, {{name, q + 2 * kv, s.hidden, plan.qkv_bias}}};
  UnitSpec unit{name, {}};
  for (const auto& [part, out] : {std::pair{"q_proj", q}, {"k_proj", kv}, {"v_proj", kv}}) {
    unit.linears.push_back({attention + part, out, s.hidden, plan.qkv_bias, false, plan.attention_bias_key});
  }
  return unit;
}

int LlamaMlp(BlockBuilder& builder, const LlamaPlan& plan, int x, int residual) {
  const std::string prefix = builder.prefix() + "mlp.";
  const DecoderSizes& s = plan.sizes;
  UnitSpec gate_up = plan.fused ? OneLinear(prefix + "gate_up_proj", 2 * s.intermediate, s.hidden)
                                : GateUpUnit(prefix, s.hidden, s.intermediate, plan.mlp_bias, plan.mlp_bias_key);
  return builder.GatedMlp(x, std::move(gate_up),
                          DownUnit(prefix, s.hidden, s.intermediate, plan.mlp_bias, plan.mlp_bias_key), plan.activation,
                          residual, plan.residual_factor);
}

}  // namespace

absl::StatusOr<LlamaPlan> ReadLlamaPlan(const ConfigReader& from, const SizeKeys& keys, const char* eps_key,
                                        const char* activation_key) {
  LlamaPlan plan;
  ABSL_ASSIGN_OR_RETURN(plan.sizes, ReadSizes(from, keys));
  ABSL_ASSIGN_OR_RETURN(plan.eps, from.Epsilon(eps_key));
  ABSL_ASSIGN_OR_RETURN(plan.activation, from.ActivationOf(activation_key, "silu"));
  ABSL_RETURN_IF_ERROR(CheckPadToken(from, plan.sizes.vocab));
  plan.reach.assign(static_cast<size_t>(plan.sizes.layers), 0);
  plan.rope.assign(static_cast<size_t>(plan.sizes.layers), 0);
  return plan;
}

NormSpec LlamaNorm(const LlamaPlan& plan, const std::string& name, int64_t dim) {
  return {name + ".weight", plan.centered ? name + ".bias" : "", dim, plan.eps, plan.centered, plan.plus_one};
}

UnitSpec OneLinear(const std::string& name, int64_t out, int64_t in, bool bias, std::string bias_key) {
  return {name, {{name, out, in, bias, false, std::move(bias_key)}}};
}

UnitSpec GateUpUnit(const std::string& prefix, int64_t hidden, int64_t inner, bool bias, std::string bias_key) {
  return {prefix + "gate_up_proj",
          {{prefix + "gate_proj", inner, hidden, bias, false, bias_key},
           {prefix + "up_proj", inner, hidden, bias, false, bias_key}}};
}

UnitSpec DownUnit(const std::string& prefix, int64_t hidden, int64_t inner, bool bias, std::string bias_key) {
  return OneLinear(prefix + "down_proj", hidden, inner, bias, std::move(bias_key));
}

AttentionResult LlamaAttention(BlockBuilder& builder, const LlamaPlan& plan, int64_t block) {
  const DecoderSizes& s = plan.sizes;
  const size_t layer = static_cast<size_t>(block);
  const std::string attention = builder.prefix() + "self_attn.";
  AttentionPlan parts{s.heads, s.kv_heads, s.head_dim, QkvUnit(plan, attention)};
  parts.output =
      OneLinear(attention + "o_proj", s.hidden, s.heads * s.head_dim, plan.output_bias, plan.attention_bias_key);
  if (plan.q_norm > 0) {
    parts.q_norm = LlamaNorm(plan, attention + "q_norm", plan.q_norm);
    parts.k_norm = LlamaNorm(plan, attention + "k_norm", plan.k_norm);
  }
  parts.rope = plan.rope[layer];
  parts.scale = plan.scale != 0 ? plan.scale : 1.0 / std::sqrt(static_cast<double>(s.head_dim));
  parts.soft_cap = plan.soft_cap;
  parts.reach = plan.reach[layer];
  const int stream = BlockBuilder::kStream;
  const auto norm = [&](int x, const char* name) {
    return builder.Norm(x, LlamaNorm(plan, builder.prefix() + name, s.hidden), name);
  };
  const int x = plan.norms == Norms::kAfter ? stream : norm(stream, "input_layernorm");
  if (plan.norms == Norms::kBefore) return {builder.Attention(x, parts, stream, plan.residual_factor), x};
  return {builder.Add(stream, norm(builder.Attention(x, parts), "post_attention_layernorm")), x};
}

BlockProgram LlamaBlock(const LlamaPlan& plan, int64_t block) {
  BlockBuilder builder("model.layers." + std::to_string(block) + ".", plan.sizes.hidden);
  const auto norm = [&](int x, const char* name) {
    return builder.Norm(x, LlamaNorm(plan, builder.prefix() + name, plan.sizes.hidden), name);
  };
  const auto [stream, attention_input] = LlamaAttention(builder, plan, block);
  switch (plan.norms) {
    case Norms::kBefore:
      return builder.Finish(
          LlamaMlp(builder, plan, plan.parallel ? attention_input : norm(stream, "post_attention_layernorm"), stream));
    case Norms::kAfter: {
      const int delta = LlamaMlp(builder, plan, stream, BlockBuilder::kNone);
      return builder.Finish(builder.Add(stream, norm(delta, "post_feedforward_layernorm")));
    }
    case Norms::kAround: {
      const int x = norm(stream, "pre_feedforward_layernorm");
      const int delta = LlamaMlp(builder, plan, x, BlockBuilder::kNone);
      return builder.Finish(builder.Add(stream, norm(delta, "post_feedforward_layernorm")));
    }
  }
  return builder.Finish(stream);
}

ModelConfig LlamaConfig(const ConfigReader& from, const LlamaPlan& plan, std::vector<RopeConfig> ropes) {
  ModelConfig config;
  config.hidden = plan.sizes.hidden;
  config.intermediate = plan.sizes.intermediate;
  config.layers = plan.sizes.layers;
  config.vocab = plan.sizes.vocab;
  config.max_positions = plan.sizes.max_positions;
  config.tied_embeddings = from.Flag("tie_word_embeddings");
  config.embedding.tokens = kEmbedding;
  config.head.weight = kHead;
  config.head.norm = LlamaNorm(plan, "model.norm", plan.sizes.hidden);
  config.ropes = std::move(ropes);
  config.block = [plan](int64_t block) { return LlamaBlock(plan, block); };
  return config;
}

}  // namespace bitwright::worker
