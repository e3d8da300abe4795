#include "proto/inputs/model_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "proto/base/status_macros.h"
#include "proto/inputs/input_errors.h"

namespace bitwright {
namespace {

constexpr char kConfig[] = "config.json";
constexpr char kSingle[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";
constexpr std::string_view kWeights = ".safetensors";
constexpr int64_t kMostIndexBytes = 64 << 20;

bool AtTop(const std::string& path) { return path.find('/') == std::string::npos; }

absl::StatusOr<std::set<std::string>> IndexedShards(const ModelFolder& folder) {
  ABSL_ASSIGN_OR_RETURN(const std::string text, folder.read(kIndex, kMostIndexBytes));
  const auto index = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return IndexInvalidError(kIndex, "has no object 'weight_map'");
  }
  std::set<std::string> shards;
  for (const auto& item : index["weight_map"].items()) {
    if (!item.value().is_string()) return IndexInvalidError(kIndex, "names a shard that is not a string");
    shards.insert(item.value().get<std::string>());
  }
  return shards;
}

// The weights and their index.
absl::StatusOr<std::set<std::string>> WeightFiles(const ModelFolder& folder) {
  if (folder.Has(kSingle)) return std::set<std::string>{kSingle};
  if (folder.Has(kIndex)) {
    ABSL_ASSIGN_OR_RETURN(std::set<std::string> files, IndexedShards(folder));
    files.insert(kIndex);
    return files;
  }
  std::set<std::string> found;
  for (const std::string& path : folder.paths) {
    if (AtTop(path) && path.ends_with(kWeights)) found.insert(path);
  }
  if (found.size() == 1) return found;
  return WeightsMissingError(!found.empty());
}

std::string WhyIgnored(const std::string& path) {
  if (path.ends_with(kWeights) || path.ends_with(".bin")) return "a second copy of the weights";
  return "not part of the model";
}

}  // namespace

bool ModelFolder::Has(const std::string& path) const {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

bool IsCarriedFile(const std::string& path) {
  static constexpr std::string_view kNames[] = {
      "added_tokens.json", "chat_template.jinja",     "chat_template.json", "generation_config.json", "merges.txt",
      "tokenizer.json",    "special_tokens_map.json", "tokenizer.model",    "tokenizer_config.json",  "vocab.json",
  };
  for (const std::string_view legal : {"LICENSE", "NOTICE", "USE_POLICY"}) {
    if (path.starts_with(legal) && AtTop(path)) return true;
  }
  return std::find(std::begin(kNames), std::end(kNames), path) != std::end(kNames);
}

absl::StatusOr<std::vector<SortedFile>> SortModelFiles(const ModelFolder& folder) {
  ABSL_ASSIGN_OR_RETURN(const std::set<std::string> weights, WeightFiles(folder));
  std::vector<SortedFile> files;
  for (const std::string& path : folder.paths) {
    SortedFile& file = files.emplace_back(SortedFile{path, FilePart::kIgnored, ""});
    if (path == kConfig) {
      file.part = FilePart::kConfig;
    } else if (weights.contains(path)) {
      file.part = FilePart::kWeights;
    } else if (IsCarriedFile(path)) {
      file.part = FilePart::kCarried;
    } else {
      file.why = WhyIgnored(path);
    }
  }
  std::sort(files.begin(), files.end(), [](const SortedFile& a, const SortedFile& b) { return a.path < b.path; });
  return files;
}

}  // namespace bitwright
