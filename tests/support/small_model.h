#pragma once

#include <map>
#include <string>

#include "workers/checkpoint/model_files.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {

// A model of two blocks (hidden 64, vocabulary 384) with random weights, made here: tests of whole tasks need no
// reference data. Tests change its parts before it is written.
struct SmallModel {
  struct Tensor {
    DType dtype = DType::kF32;
    std::vector<int64_t> shape;
    std::string bytes;
  };
  std::string config;  // config.json
  std::map<std::string, Tensor> tensors;

  // Weights of `dtype` (F32, F16 or BF16), the same for the same seed.
  static SmallModel Make(DType dtype = DType::kBF16, uint32_t seed = 1);

  // Writes config.json, model.safetensors and a byte-level tokenizer.json into the folder. Ends the test program when
  // that fails.
  ModelFiles Write(const std::string& dir) const;
};

// The bytes of values in F32, F16 or BF16.
std::string Encode(const std::vector<float>& values, DType dtype);

}  // namespace bitwright::worker
