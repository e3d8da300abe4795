#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"
#include "workers/families/config.h"
#include "workers/targets/gguf_family.h"
#include "workers/targets/gguf_source.h"

namespace bitwright::worker {

// How a GGUF file says what rotary embeddings a model has. Keys "{architecture}.rope.*" and tensors of factors are
// those that llama.cpp reads (ggml-org/llama.cpp, src/llama-model.cpp); their values are what its arithmetic needs to
// come to model/rope.h's frequencies.
struct GgufRope {
  std::vector<GgufSetting> settings;
  std::vector<GgufSource> tensors;
};

// Of heads of `head_dim`. Longrope's kinds of factors are chosen by llama.cpp by the size of its context, which is what
// a window is elsewhere. TARGET_CANNOT_STORE: kinds and numbers that it does not compute in the architecture.
absl::StatusOr<GgufRope> DescribeGgufRope(const GgufFamily& family, const ModelConfig& config, int64_t head_dim);

}  // namespace bitwright::worker
