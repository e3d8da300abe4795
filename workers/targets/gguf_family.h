#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"
#include "workers/kernels/elementwise.h"

namespace bitwright::worker {

// A tensor of a block: the end of its name in the checkpoint and in the file, without ".weight" or ".bias". Of experts
// the first one's name stands for all.
struct GgufName {
  std::string_view theirs;  // "self_attn.q_proj"
  std::string_view ours;    // "attn_q"
};

// What llama.cpp calls a family, and what its program for that architecture computes where the programs differ: what a
// model asks beyond it cannot be stored. Names: ggml-org/llama.cpp, src/llama-arch.cpp; the rest: src/models/*.cpp.
struct GgufFamily {
  enum class Biases { kNone, kQkv, kAll };
  enum class Head { kOwnOrTied, kOwn, kTied };
  enum class Caps { kNone, kFinal, kBoth };  // kFinal: where there is one; kBoth: always, of scores and of logits

  std::string_view family;        // config.json's model_type
  std::string_view architecture;  // llama.cpp's
  std::span<const GgufName> names;
  bool neighbours = false;  // rotary pairs are neighbours
  bool square = false;      // queries are as wide as the stream
  Biases biases = Biases::kNone;
  Head head = Head::kOwnOrTied;
  Activation activation = Activation::kSilu;
  std::optional<bool> experts = {};  // in every block, and whether their weights are divided by their sum
  bool layer_norms = false;
  bool root_embedding = false;     // embeddings are multiplied by √hidden
  bool multipliers = false;        // of embeddings, scores, residuals and logits: keys of their own
  int64_t wide_scores_blocks = 0;  // a model of so many blocks divides scores by √(hidden / heads), not √head_dim
  Caps caps = Caps::kNone;
  int64_t period = 0;  // of windows where no key says it: all blocks but each period-th have one; 0: none has
  bool frequency_factors = false, long_factors = false;  // reads rope_freqs, or rope_factors_*
};

// TARGET_CANNOT_STORE: it is not known here.
absl::StatusOr<const GgufFamily*> FindGgufFamily(std::string_view model_type);

// The file's end of a name within a block; empty where the architecture has none.
std::string_view GgufNameOf(const GgufFamily& family, std::string_view theirs);

}  // namespace bitwright::worker
