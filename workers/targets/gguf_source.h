#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bitwright::worker {

// A tensor of a GGUF file, and where its values come from.
struct GgufSource {
  std::string name;                       // "blk.0.attn_q.weight"
  std::string tensor;                     // of the checkpoint: "model.layers.0.self_attn.q_proj.weight"
  std::vector<std::string> further = {};  // of experts: those behind the first, which come after it
  std::vector<int64_t> shape;             // row-major, as the file has it: [out, in], of experts [experts, out, in]
  int64_t rotary_head_dim = 0;  // rows go into llama.cpp's rotary order within heads of so many (SourceRow); 0: as is
  double added = 0;             // to every value of a vector
  bool wide = false;            // stored as f32 whatever the checkpoint has, as by llama.cpp's conversion
  std::vector<float> values = {};  // of what is computed, and no tensor of the checkpoint
};

// The row of the checkpoint's matrix that stands at `row` in the file: a checkpoint rotates element i of a head with
// element i + dim/2, llama.cpp's llama with its neighbour.
constexpr int64_t SourceRow(int64_t row, int64_t head_dim) {
  if (head_dim == 0) return row;
  const int64_t within = row % head_dim;
  return row - within + within / 2 + within % 2 * (head_dim / 2);
}

static_assert(SourceRow(0, 8) == 0 && SourceRow(1, 8) == 4 && SourceRow(2, 8) == 1 && SourceRow(15, 8) == 15);

}  // namespace bitwright::worker
