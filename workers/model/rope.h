#pragma once

#include <cstdint>
#include <vector>

#include "workers/checkpoint/config.h"

namespace bitwright::worker {

// Rotation angles of every position, as ApplyRope takes them: cos and sin are [positions, head_dim / 2], f32, times the
// attention factor. Frequencies as in transformers' modeling_rope_utils (default, linear, llama3, yarn).
struct RopeTable {
  std::vector<float> cos;
  std::vector<float> sin;
};

// What the table is made of: the frequency of each pair of a head [head_dim / 2], and the factor on cos and sin.
std::vector<float> RopeFrequencies(const RopeConfig& rope, int64_t head_dim);
double RopeFactor(const RopeConfig& rope);

RopeTable MakeRopeTable(const RopeConfig& rope, int64_t head_dim, int64_t positions);

}  // namespace bitwright::worker
