#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "workers/checkpoint/config.h"

namespace bitwright::worker {

// Where in a block a unit's input is taken; one statistic is collected at each.
enum class TapPoint { kAttention = 0, kOutput = 1, kMlp = 2, kDown = 3 };
inline constexpr int kTapPoints = 4;

// One weight matrix [out, in] of the checkpoint; its tensors are name + ".weight" and, with bias, name + ".bias".
struct LinearSpec {
  std::string name;  // "model.layers.0.self_attn.q_proj"
  int64_t out = 0;
  int64_t in = 0;
  bool bias = false;
};

// Linears that a consumer fuses and that therefore get one format. All have the same input.
struct UnitSpec {
  std::string name;  // "model.layers.0.self_attn.qkv_proj"
  TapPoint input = TapPoint::kAttention;
  std::vector<LinearSpec> linears;  // in the order in which their rows are stacked

  int64_t out() const {
    int64_t sum = 0;
    for (const LinearSpec& linear : linears) sum += linear.out;
    return sum;
  }
  int64_t in() const { return linears.front().in; }
  int64_t weights() const { return out() * in(); }
  bool bias() const { return linears.front().bias; }
};

// Names within one decoder block.
struct BlockSpec {
  std::string prefix;                      // "model.layers.0."
  std::array<UnitSpec, kTapPoints> units;  // by tap point: qkv, output, gate and up, down
  std::string attention_norm, mlp_norm;    // tensors [hidden]
  std::string q_norm, k_norm;              // tensors [head_dim]; empty when the family has none
};

// A tensor that the configuration asks for.
struct TensorSpec {
  std::string name;
  std::vector<int64_t> shape;
  std::string role;  // completes "the checkpoint has no tensor X, which …"
};

BlockSpec DescribeBlock(const ModelConfig& config, int64_t block);

// Every tensor that a checkpoint of this configuration must hold.
std::vector<TensorSpec> RequiredTensors(const ModelConfig& config);

inline constexpr char kEmbedding[] = "model.embed_tokens.weight";  // [vocab, hidden]
inline constexpr char kFinalNorm[] = "model.norm.weight";          // [hidden]
inline constexpr char kHead[] = "lm_head.weight";                  // [vocab, hidden]; absent when tied

}  // namespace bitwright::worker
