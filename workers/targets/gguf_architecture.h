#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/checkpoint/gguf_settings.h"
#include "workers/families/config.h"
#include "workers/targets/gguf_source.h"

namespace bitwright::worker {

// What llama.cpp calls a model of this configuration, and what it reads of it. The key names are those of its
// conversion (ggml-org/llama.cpp, gguf-py/gguf/constants.py); the values come from the block program, so that a family
// needs an entry in gguf_family.cc and no arithmetic.
struct GgufArchitecture {
  std::string name;                   // "llama"
  std::vector<GgufSetting> settings;  // "{name}.context_length" …, in the order that converters write
  std::vector<GgufSource> tensors;    // in the order of the checkpoint's names, sorted, behind those that are computed
};

// TARGET_CANNOT_STORE: a family that is not known here, or something in it that llama.cpp computes otherwise.
absl::StatusOr<GgufArchitecture> DescribeGguf(const ModelConfig& config);

}  // namespace bitwright::worker
