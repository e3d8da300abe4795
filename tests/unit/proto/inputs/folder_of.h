#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "proto/inputs/model_folder.h"

namespace bitwright {

// A folder in memory: path → what the file holds.
inline ModelFolder FolderOf(std::map<std::string, std::string> files) {
  ModelFolder folder;
  for (const auto& [path, text] : files) folder.paths.push_back(path);
  folder.read = [files = std::move(files)](const std::string& path, int64_t most) -> absl::StatusOr<std::string> {
    const auto found = files.find(path);
    if (found == files.end()) return absl::NotFoundError(path);
    return found->second.substr(0, static_cast<size_t>(most));
  };
  return folder;
}

inline constexpr char kLlama[] = R"({"architectures":["LlamaForCausalLM"],"model_type":"llama"})";

}  // namespace bitwright
