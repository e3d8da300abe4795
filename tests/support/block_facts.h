#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "workers/families/config.h"

namespace bitwright::worker {

// What the attention of a block is, told from its program.
struct BlockFacts {
  int64_t heads = 0, kv_heads = 0, head_dim = 0;
  int64_t reach = 0;  // tokens that a query sees; 0: all before it
  double scale = 0;
  bool qkv_bias = false, output_bias = false, mlp_bias = false;
  bool qk_norm = false;
};

inline BlockFacts FactsOf(const BlockProgram& program) {
  BlockFacts facts;
  for (const Operation& operation : program.operations) {
    if (const auto* attend = std::get_if<AttendOp>(&operation)) {
      facts.heads = attend->q.count;
      facts.kv_heads = attend->k.count;
      facts.head_dim = attend->q.dim;
      facts.reach = attend->reach;
      facts.scale = attend->scale;
      facts.qk_norm = attend->q.value != attend->v.value;
    }
  }
  facts.qkv_bias = program.units.front().bias();
  facts.output_bias = program.units[1].bias();
  facts.mlp_bias = program.units.back().bias();
  return facts;
}

inline BlockFacts FactsOf(const ModelConfig& config) { return FactsOf(config.block(0)); }

// Of every block.
inline std::vector<int64_t> Windows(const ModelConfig& config) {
  std::vector<int64_t> windows;
  for (int64_t b = 0; b < config.layers; ++b) windows.push_back(FactsOf(config.block(b)).reach);
  return windows;
}

}  // namespace bitwright::worker
