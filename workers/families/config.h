#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/families/program.h"
#include "workers/families/rope_config.h"

namespace bitwright::worker {

// x = factor · tokens[id] + positions[position + first_position]
struct EmbeddingSpec {
  std::string tokens;  // tensor [vocab, hidden]
  double factor = 1;
  std::string positions;  // tensor [first_position + max_positions, hidden], or empty
  int64_t first_position = 0;
};

// logits = cap(factor · norm(x) weightᵀ), cap(l) = soft_cap · tanh(l / soft_cap) unless soft_cap is 0.
struct HeadSpec {
  NormSpec norm;       // may be none
  std::string weight;  // tensor [vocab, hidden]
  double factor = 1;
  double soft_cap = 0;
};

// What config.json says of a decoder, in one form for all families and key styles (transformers 4 and 5). Every key
// means what transformers' class of the family takes it to mean: absent, null and present are three cases.
struct ModelConfig {
  std::string family;        // config.json's model_type
  std::string architecture;  // "LlamaForCausalLM"
  int64_t hidden = 0;
  int64_t intermediate = 0;  // of a dense feed-forward part
  int64_t layers = 0;
  int64_t vocab = 0;
  int64_t max_positions = 0;
  bool tied_embeddings = false;  // as config.json says; weights.h decides by what the checkpoint holds
  EmbeddingSpec embedding;
  HeadSpec head;
  std::vector<RopeConfig> ropes;
  std::string layers_key = "num_hidden_layers";  // of config.json
  // Ends of the names of tensors within a block that the family's reader leaves aside.
  std::vector<std::string> ignored;
  std::function<BlockProgram(int64_t block)> block;
};

// Parses config.json as hostile input. INVALID_ARGUMENT: JSON_INVALID, CONFIG_INVALID (names the field; the family's
// own reader fails, too), ARCHITECTURE_UNSUPPORTED, CONFIG_UNSUPPORTED (the reader may take it and we do not: existing
// quantization, is_causal false, attention that looks ahead, layers of other types, configs by layer, an odd head_dim).
absl::StatusOr<ModelConfig> ParseModelConfig(std::string_view json_text);

// Every tensor that a checkpoint of this configuration must hold.
std::vector<TensorSpec> RequiredTensors(const ModelConfig& config);

}  // namespace bitwright::worker
