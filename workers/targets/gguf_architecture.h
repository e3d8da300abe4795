#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"
#include "workers/families/config.h"

namespace bitwright::worker {

// A tensor of a GGUF file, and where its values come from.
struct GgufSource {
  std::string name;             // "blk.0.attn_q.weight"
  std::string tensor;           // of the checkpoint: "model.layers.0.self_attn.q_proj.weight"
  std::vector<int64_t> shape;   // row-major, as in the checkpoint
  int64_t rotary_head_dim = 0;  // rows go into llama.cpp's rotary order within heads of so many (SourceRow); 0: as is
};

// What llama.cpp calls a model of this configuration, and what it reads of it. The key names are those of its
// conversion (ggml-org/llama.cpp, gguf-py/gguf/constants.py); the values come from the block program, so that a family
// needs a name here and no arithmetic.
struct GgufArchitecture {
  std::string name;                   // "llama"
  std::vector<GgufSetting> settings;  // "{name}.context_length" …, in the order that converters write
  std::vector<GgufSource> tensors;    // in the order of the checkpoint's names, sorted
};

// TARGET_CANNOT_STORE: a family or a kind of rotary embedding that is not known here.
absl::StatusOr<GgufArchitecture> DescribeGguf(const ModelConfig& config);

// The row of the checkpoint's matrix that stands at `row` in the file: a checkpoint rotates element i of a head with
// element i + dim/2, llama.cpp's llama with its neighbour.
constexpr int64_t SourceRow(int64_t row, int64_t head_dim) {
  if (head_dim == 0) return row;
  const int64_t within = row % head_dim;
  return row - within + within / 2 + within % 2 * (head_dim / 2);
}

static_assert(SourceRow(0, 8) == 0 && SourceRow(1, 8) == 4 && SourceRow(2, 8) == 1 && SourceRow(15, 8) == 15);

}  // namespace bitwright::worker
