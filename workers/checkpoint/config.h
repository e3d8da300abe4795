#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// Rotary position embedding. Names and formulas are those of transformers' modeling_rope_utils.
struct RopeConfig {
  enum class Kind { kDefault, kLinear, kLlama3, kYarn };
  Kind kind = Kind::kDefault;
  double theta = 10000;
  double factor = 1;
  double low_freq_factor = 1;              // llama3
  double high_freq_factor = 4;             // llama3
  double original_max_positions = 0;       // llama3, yarn
  double beta_fast = 32;                   // yarn
  double beta_slow = 1;                    // yarn
  std::optional<double> attention_factor;  // yarn; without it, from factor and the mscales
  double mscale = 0;                       // yarn; 0: absent
  double mscale_all_dim = 0;               // yarn; 0: absent
  bool truncate = true;                    // yarn
};

// What config.json says of a decoder, in one form for all families and key styles (transformers 4 and 5). Every key
// means what transformers' class of the family takes it to mean: absent, null and present are three cases.
struct ModelConfig {
  std::string family;        // "llama", "mistral", "qwen2", "qwen3"
  std::string architecture;  // "LlamaForCausalLM"
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;  // heads · head_dim need not equal hidden
  int64_t vocab = 0;
  int64_t max_positions = 0;
  double norm_eps = 0;
  RopeConfig rope;
  bool qkv_bias = false;
  bool output_bias = false;  // of the attention's output projection
  bool mlp_bias = false;
  bool qk_norm = false;          // RMS norm of each query and key head
  bool tied_embeddings = false;  // as config.json says; weights.h decides by what the checkpoint holds
  std::vector<int64_t> window;   // per layer: tokens that a query sees, itself included; 0: all before it
};

// Parses config.json as hostile input. INVALID_ARGUMENT: JSON_INVALID, CONFIG_INVALID (names the field; the family's
// own reader fails, too), ARCHITECTURE_UNSUPPORTED, CONFIG_UNSUPPORTED (the reader may take it and we do not: other
// activations, rope kinds and partial rotation, existing quantization, is_causal false, layers of other types, configs
// by layer, an odd head_dim).
absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json_text);

}  // namespace bitwright::worker
