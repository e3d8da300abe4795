#pragma once

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "workers/checkpoint/model_files.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker {

// The files of a model folder of the fixtures, without what is expected of it.
inline ModelFiles FilesOf(const std::string& dir) {
  ModelFiles files;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.is_regular_file()) files.emplace(entry.path().filename().string(), entry.path().string());
  }
  files.erase("expected.safetensors");
  return files;
}

// An i64 tensor of token ids.
inline std::vector<int32_t> Ids(const TensorView& view) {
  std::vector<int32_t> ids(static_cast<size_t>(view.elements()));
  for (size_t i = 0; i < ids.size(); ++i) {
    int64_t wide;
    std::memcpy(&wide, view.bytes.data() + 8 * i, 8);
    ids[i] = static_cast<int32_t>(wide);
  }
  return ids;
}

inline std::vector<float> Floats(const TensorView& view) {
  std::vector<float> values(static_cast<size_t>(view.elements()));
  ToFloat(view, values);
  return values;
}

}  // namespace bitwright::worker
