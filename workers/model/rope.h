#pragma once

#include <cstdint>
#include <vector>

#include "workers/families/rope_config.h"

namespace bitwright::worker {

// Rotation angles of every position, as Device::Rotate takes them: cos and sin are [positions, rotary / 2], f32, times
// the attention factor. Frequencies as in transformers' modeling_rope_utils (default, linear, dynamic, llama3, yarn,
// longrope). The last two words of each: rotary, elements of a head that are rotated; positions, the length of a
// window, on which the frequencies of some kinds depend.
struct RopeTable {
  std::vector<float> cos;
  std::vector<float> sin;
};

// What the table is made of: the frequency of each pair [rotary / 2], and the factor on cos and sin.
std::vector<float> RopeFrequencies(const RopeConfig& rope, int64_t rotary, int64_t positions);
double RopeFactor(const RopeConfig& rope);

RopeTable MakeRopeTable(const RopeConfig& rope, int64_t rotary, int64_t positions);

}  // namespace bitwright::worker
