#pragma once

#include <string>
#include <vector>

#include "workers/families/block_builder.h"
#include "workers/families/config.h"
#include "workers/families/decoder_sizes.h"

namespace bitwright::worker {

// What families that descend from Llama choose of: attention and a gated feed-forward part, each with its norms.
struct LlamaPlan {
  enum class Norms {
    kBefore,  // input_layernorm and post_attention_layernorm, before either part
    kAfter,   // post_attention_layernorm and post_feedforward_layernorm, behind either part
    kAround,  // input_, post_attention_, pre_feedforward_ and post_feedforward_layernorm
  };
  DecoderSizes sizes;
  Norms norms = Norms::kBefore;
  double eps = 0;
  bool centered = false;  // layer norms with bias
  bool plus_one = false;  // norms multiply by 1 + weight
  bool parallel = false;  // both parts read the same normed stream
  Activation activation = Activation::kSilu;
  bool fused = false;  // the checkpoint holds qkv_proj and gate_up_proj
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  std::string attention_bias_key = {}, mlp_bias_key = {};  // as LinearSpec::bias_key
  int64_t q_norm = 0, k_norm = 0;                          // width of the norms of queries and keys; 0: none
  double scale = 0;                                        // of scores; 0: 1/√head_dim
  double soft_cap = 0;                                     // of scores
  double residual_factor = 1;
  std::vector<int64_t> reach;  // by layer: tokens that a query sees, itself included; 0: all before it
  std::vector<int> rope;       // by layer
};

// The usual of both: sizes, epsilon, activation; no windows; one rope.
absl::StatusOr<LlamaPlan> ReadLlamaPlan(const ConfigReader& from, const SizeKeys& keys = {},
                                        const char* eps_key = "rms_norm_eps",
                                        const char* activation_key = "hidden_act");

NormSpec LlamaNorm(const LlamaPlan& plan, const std::string& name, int64_t dim);
// One linear, in a unit of its own.
UnitSpec OneLinear(const std::string& name, int64_t out, int64_t in, bool bias = false, std::string bias_key = {});

// The residual stream behind the attention part of a block, and what that part read.
struct AttentionResult {
  int stream = 0;
  int input = 0;
};
AttentionResult LlamaAttention(BlockBuilder& builder, const LlamaPlan& plan, int64_t block);
// Units of a gated feed-forward part whose tensors begin with `prefix`.
UnitSpec GateUpUnit(const std::string& prefix, int64_t hidden, int64_t inner, bool bias = false,
                    std::string bias_key = {});
UnitSpec DownUnit(const std::string& prefix, int64_t hidden, int64_t inner, bool bias = false,
                  std::string bias_key = {});
BlockProgram LlamaBlock(const LlamaPlan& plan, int64_t block);

// The configuration that goes with such blocks, with embedding and head under Llama's names. `ropes` are its own.
ModelConfig LlamaConfig(const ConfigReader& from, const LlamaPlan& plan, std::vector<RopeConfig> ropes);

}  // namespace bitwright::worker
