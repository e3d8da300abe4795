#include <cmath>
#include <nlohmann/json.hpp>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/families/block_builder.h"
#include "workers/families/decoder_sizes.h"
#include "workers/families/table.h"

// Families with layer norms and a feed-forward part without a gate: GPT-2, OPT, GPT-NeoX. Keys and defaults:
// transformers 5.23, configuration_*.py of each.
namespace bitwright::worker {
namespace {

using nlohmann::json;
using K = ConfigKey;
constexpr unsigned kSize = K::kInt, kMaybe = K::kInt | K::kNull, kNumber = K::kInt | K::kFraction;

constexpr ConfigKey kGpt2Keys[] = {
    {"vocab_size", kSize, 50257},
    {"n_positions", kSize, 1024},
    {"n_embd", kSize, 768},
    {"n_layer", kSize, 12},
    {"n_head", kSize, 12},
    {"n_inner", kMaybe},
    {"activation_function", K::kText},
    {"layer_norm_epsilon", K::kFraction, 1e-5},
    {"scale_attn_weights", K::kBool, 1},
    {"scale_attn_by_inverse_layer_idx", K::kBool, 0},
    {"reorder_and_upcast_attn", K::kBool, 0},  // another order of the same f32 arithmetic
    {"add_cross_attention", K::kBool, 0},
    {"tie_word_embeddings", K::kBool, 1},
    {"resid_pdrop", kNumber},
    {"embd_pdrop", kNumber},
    {"attn_pdrop", kNumber},
    {"summary_type", K::kText},
    {"summary_use_proj", K::kBool},
    {"summary_activation", K::kText | K::kNull},
    {"summary_proj_to_labels", K::kBool},
    {"summary_first_dropout", kNumber},
};

constexpr ConfigKey kOptKeys[] = {
    {"vocab_size", kSize, 50272},
    {"hidden_size", kSize, 768},
    {"num_hidden_layers", kSize, 12},
    {"ffn_dim", kSize, 3072},
    {"max_position_embeddings", kSize, 2048},
    {"num_attention_heads", kSize, 12},
    {"do_layer_norm_before", K::kBool, 1},
    {"_remove_final_layer_norm", K::kBool, 0},
    {"word_embed_proj_dim", kMaybe},
    {"activation_function", K::kText},
    {"enable_bias", K::kBool, 1},
    {"layer_norm_elementwise_affine", K::kBool, 1},
    {"tie_word_embeddings", K::kBool, 1},
    {"pad_token_id", kMaybe, 1},
    {"dropout", kNumber},
    {"attention_dropout", kNumber},
    {"layerdrop", kNumber},  // of training
    {"init_std", K::kFraction},
};

constexpr ConfigKey kGptNeoXKeys[] = {
    {"vocab_size", kSize, 50432},
    {"hidden_size", kSize, 6144},
    {"num_hidden_layers", kSize, 44},
    {"num_attention_heads", kSize, 64},
    {"intermediate_size", kSize, 24576},
    {"hidden_act", K::kText},
    {"max_position_embeddings", kSize, 2048},
    {"layer_norm_eps", K::kFraction, 1e-5},
    {"use_parallel_residual", K::kBool, 1},
    {"attention_bias", K::kBool, 1},
    {"tie_word_embeddings", K::kBool, 0},
    {"is_decoder", K::kBool},
    {"attention_dropout", kNumber},
    {"hidden_dropout", kNumber},
    {"classifier_dropout", kNumber},
};

NormSpec LayerNorm(const std::string& name, int64_t hidden, double eps) {
  return {name + ".weight", name + ".bias", hidden, eps, /*centered=*/true};
}

UnitSpec One(const std::string& name, int64_t out, int64_t in, bool bias, bool transposed = false,
             std::string bias_key = {}) {
  return {name, {{name, out, in, bias, transposed, std::move(bias_key)}}};
}

double InverseRoot(int64_t dim) { return 1 / std::sqrt(static_cast<double>(dim)); }

ModelConfig Sized(const ConfigReader& from, const DecoderSizes& sizes) {
  ModelConfig config;
  config.hidden = sizes.hidden;
  config.intermediate = sizes.intermediate;
  config.layers = sizes.layers;
  config.vocab = sizes.vocab;
  config.max_positions = sizes.max_positions;
  config.tied_embeddings = from.Flag("tie_word_embeddings");
  config.head.weight = "lm_head.weight";
  return config;
}

// GPT-2 stores its matrices transposed (Conv1D).
absl::StatusOr<ModelConfig> ReadGpt2(const ConfigReader& from) {
  ABSL_ASSIGN_OR_RETURN(const DecoderSizes sizes, ReadSizes(from, {.hidden = "n_embd",
                                                                   .intermediate = "n_inner",
                                                                   .layers = "n_layer",
                                                                   .heads = "n_head",
                                                                   .max_positions = "n_positions",
                                                                   .even_head = false,
                                                                   .heads_divide = true,
                                                                   .intermediate_factor = 4}));
  ABSL_RETURN_IF_ERROR(from.Require("add_cross_attention", false));
  ABSL_ASSIGN_OR_RETURN(const double eps, from.Epsilon("layer_norm_epsilon"));
  ABSL_ASSIGN_OR_RETURN(const Activation activation, from.ActivationOf("activation_function", "gelu_new"));
  const bool scaled = from.Flag("scale_attn_weights"), by_layer = from.Flag("scale_attn_by_inverse_layer_idx");
  ModelConfig config = Sized(from, sizes);
  config.layers_key = "n_layer";
  config.embedding = {"transformer.wte.weight", 1, "transformer.wpe.weight", 0};
  config.head.norm = LayerNorm("transformer.ln_f", sizes.hidden, eps);
  config.ignored = {"attn.bias", "attn.masked_bias"};
  config.block = [=](int64_t block) {
    BlockBuilder builder("transformer.h." + std::to_string(block) + ".", sizes.hidden);
    const std::string& prefix = builder.prefix();
    const int64_t h = sizes.hidden, inner = sizes.intermediate;
    AttentionPlan plan{sizes.heads, sizes.heads, sizes.head_dim, One(prefix + "attn.c_attn", 3 * h, h, true, true)};
    plan.output = One(prefix + "attn.c_proj", h, h, true, true);
    plan.scale = (scaled ? InverseRoot(sizes.head_dim) : 1) / (by_layer ? static_cast<double>(block + 1) : 1);
    int stream = BlockBuilder::kStream;
    stream = builder.Attention(builder.Norm(stream, LayerNorm(prefix + "ln_1", h, eps), "ln_1"), plan, stream);
    return builder.Finish(builder.Mlp(builder.Norm(stream, LayerNorm(prefix + "ln_2", h, eps), "ln_2"),
                                      One(prefix + "mlp.c_fc", inner, h, true, true),
                                      One(prefix + "mlp.c_proj", h, inner, true, true), activation, stream));
  };
  return config;
}

struct OptPlan {
  DecoderSizes sizes;
  bool before = true;  // norms before each part, or behind it
  bool bias = true;
  Activation activation = Activation::kRelu;
};

BlockProgram OptBlock(const OptPlan& opt, int64_t block) {
  constexpr double kEps = 1e-5;  // torch's default
  const int64_t h = opt.sizes.hidden, inner = opt.sizes.intermediate;
  BlockBuilder builder("model.decoder.layers." + std::to_string(block) + ".", h);
  const std::string& prefix = builder.prefix();
  const std::string attention = prefix + "self_attn.";
  const auto norm = [&](int x, const char* name) { return builder.Norm(x, LayerNorm(prefix + name, h, kEps), name); };
  AttentionPlan plan{opt.sizes.heads, opt.sizes.heads, opt.sizes.head_dim, {attention + "qkv_proj", {}}};
  for (const char* part : {"q_proj", "k_proj", "v_proj"}) {
    plan.qkv.linears.push_back({attention + part, h, h, opt.bias, false, "enable_bias"});
  }
  plan.output = One(attention + "out_proj", h, h, opt.bias, false, "enable_bias");
  plan.scale = InverseRoot(opt.sizes.head_dim);
  UnitSpec up = One(prefix + "fc1", inner, h, opt.bias, false, "enable_bias");
  UnitSpec down = One(prefix + "fc2", h, inner, opt.bias, false, "enable_bias");
  int stream = BlockBuilder::kStream;
  stream = builder.Attention(opt.before ? norm(stream, "self_attn_layer_norm") : stream, plan, stream);
  if (!opt.before) stream = norm(stream, "self_attn_layer_norm");
  const int x = opt.before ? norm(stream, "final_layer_norm") : stream;
  stream = builder.Mlp(x, std::move(up), std::move(down), opt.activation, stream);
  return builder.Finish(opt.before ? stream : norm(stream, "final_layer_norm"));
}

absl::StatusOr<ModelConfig> ReadOpt(const ConfigReader& from) {
  OptPlan plan;
  ABSL_ASSIGN_OR_RETURN(plan.sizes,
                        ReadSizes(from, {.intermediate = "ffn_dim", .even_head = false, .heads_divide = true}));
  ABSL_RETURN_IF_ERROR(CheckPadToken(from, plan.sizes.vocab));
  ABSL_RETURN_IF_ERROR(from.Require("layer_norm_elementwise_affine", true));
  ABSL_ASSIGN_OR_RETURN(const int64_t projected, from.Size("word_embed_proj_dim", plan.sizes.hidden));
  if (projected != plan.sizes.hidden) {
    return ConfigUnsupportedError("word_embed_proj_dim", std::to_string(projected), "hidden_size, without projections");
  }
  ABSL_ASSIGN_OR_RETURN(plan.activation, from.ActivationOf("activation_function", "relu"));
  plan.before = from.Flag("do_layer_norm_before");
  plan.bias = from.Flag("enable_bias");
  ModelConfig config = Sized(from, plan.sizes);
  config.embedding = {"model.decoder.embed_tokens.weight", 1, "model.decoder.embed_positions.weight", 2};
  if (plan.before && !from.Flag("_remove_final_layer_norm")) {
    config.head.norm = LayerNorm("model.decoder.final_layer_norm", plan.sizes.hidden, 1e-5);
  }
  config.block = [plan](int64_t block) { return OptBlock(plan, block); };
  return config;
}

struct NeoXPlan {
  DecoderSizes sizes;
  double eps = 0;
  bool parallel = true;
  bool bias = true;
  Activation activation = Activation::kGelu;
};

BlockProgram NeoXBlock(const NeoXPlan& neox, int64_t block) {
  const int64_t h = neox.sizes.hidden, inner = neox.sizes.intermediate;
  BlockBuilder builder("gpt_neox.layers." + std::to_string(block) + ".", h);
  const std::string& prefix = builder.prefix();
  const auto norm = [&](int x, const char* name) {
    return builder.Norm(x, LayerNorm(prefix + name, h, neox.eps), name);
  };
  AttentionPlan plan{neox.sizes.heads, neox.sizes.heads, neox.sizes.head_dim,
                     One(prefix + "attention.query_key_value", 3 * h, h, neox.bias, false, "attention_bias")};
  plan.by_head = true;
  plan.output = One(prefix + "attention.dense", h, h, neox.bias, false, "attention_bias");
  plan.rope = 0;
  plan.scale = InverseRoot(neox.sizes.head_dim);
  UnitSpec up = One(prefix + "mlp.dense_h_to_4h", inner, h, true);
  UnitSpec down = One(prefix + "mlp.dense_4h_to_h", h, inner, true);
  const int entering = BlockBuilder::kStream;
  const int attention_input = norm(entering, "input_layernorm");
  // Both parts read the stream that enters, where they are parallel.
  const int early = neox.parallel ? norm(entering, "post_attention_layernorm") : BlockBuilder::kNone;
  const int stream = builder.Attention(attention_input, plan, entering);
  const int x = neox.parallel ? early : norm(stream, "post_attention_layernorm");
  return builder.Finish(builder.Mlp(x, std::move(up), std::move(down), neox.activation, stream));
}

absl::StatusOr<ModelConfig> ReadGptNeoX(const ConfigReader& from) {
  NeoXPlan plan;
  ABSL_ASSIGN_OR_RETURN(plan.sizes, ReadSizes(from, {.heads_divide = true}));
  ABSL_ASSIGN_OR_RETURN(plan.eps, from.Epsilon("layer_norm_eps"));
  ABSL_ASSIGN_OR_RETURN(plan.activation, from.ActivationOf("hidden_act", "gelu"));
  plan.parallel = from.Flag("use_parallel_residual");
  plan.bias = from.Flag("attention_bias");
  ABSL_ASSIGN_OR_RETURN(
      RopeConfig rope,
      ReadRopeConfig(
          from.config(), plan.sizes.max_positions, plan.sizes.head_dim,
          {.theta = "rotary_emb_base", .rotary_factor = "rotary_pct", .default_rotary_factor = 0.25, .partial = true}));
  ModelConfig config = Sized(from, plan.sizes);
  config.embedding.tokens = "gpt_neox.embed_in.weight";
  config.head.weight = "embed_out.weight";
  config.head.norm = LayerNorm("gpt_neox.final_layer_norm", plan.sizes.hidden, plan.eps);
  config.ropes = {std::move(rope)};
  config.ignored = {"attention.bias", "attention.masked_bias"};
  config.block = [plan](int64_t block) { return NeoXBlock(plan, block); };
  return config;
}

}  // namespace

const Family kGpt2{"gpt2", "GPT2LMHeadModel", kGpt2Keys, ReadGpt2};
const Family kOpt{"opt", "OPTForCausalLM", kOptKeys, ReadOpt};
const Family kGptNeoX{"gpt_neox", "GPTNeoXForCausalLM", kGptNeoXKeys, ReadGptNeoX};

}  // namespace bitwright::worker
