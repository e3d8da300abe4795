#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "workers/checkpoint/model_files.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {

// Takes the next bytes of a tensor. What it is given lives until it returns.
using TakeBytes = std::function<absl::Status(std::span<const std::byte> bytes)>;

// A tensor as plain safetensors hold it: F32, F16 or BF16, row-major.
struct PlainTensor {
  TensorDeclaration declaration;
  // Makes all of its bytes, front to back, a piece at a time. Called once.
  std::function<absl::Status(const TakeBytes& take)> write;
};

// What an import makes of a model that is stored in another form: the folder that save_pretrained would have written.
struct PlainModel {
  std::map<std::string, std::string> texts;  // path → text: config.json, tokenizer.json …
  ModelFiles carried;                        // taken over unchanged
  std::vector<PlainTensor> tensors;          // by rising name, each once
};

}  // namespace bitwright::worker
