#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "workers/families/config.h"
#include "workers/import/split_gguf.h"
#include "workers/targets/gguf_architecture.h"

namespace bitwright::worker {

// The config.json that a GGUF stands for, and what the file would be if it were made of that: its tensors' sources say
// where each tensor of the checkpoint lies.
struct GgufModelConfig {
  std::string text;  // of config.json, without a dtype
  ModelConfig config;
  GgufArchitecture described;
};

// Reads the keys "{architecture}.*" and the shapes of tensors. Numbers are the shortest decimals that give the file's
// f32. What was read is held against the file: DescribeGguf of it has to come to the file's own values, to rotary
// factors and to names and shapes of all tensors, so that nothing in the file is left out. IMPORT_GGUF_UNSUPPORTED: an
// architecture, key or tensor that is not known here, or that says something else; GGUF_KEY_MISSING,
// GGUF_VALUE_KIND_WRONG, TENSOR_MISSING, TENSOR_SHAPE_WRONG; errors of ParseModelConfig and DescribeGguf.
absl::StatusOr<GgufModelConfig> ReadGgufConfig(const SplitGguf& parts);

}  // namespace bitwright::worker
