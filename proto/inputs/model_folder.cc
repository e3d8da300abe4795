#include "proto/inputs/model_folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "proto/base/status_macros.h"
#include "proto/inputs/ignored_files.h"
#include "proto/inputs/import_form.h"
#include "proto/inputs/input_errors.h"
#include "proto/inputs/model_code.h"

namespace bitwright {
namespace {

constexpr char kConfig[] = "config.json";
constexpr char kSingle[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";
constexpr std::string_view kWeights = ".safetensors";
constexpr std::string_view kTemplates = "additional_chat_templates/";
constexpr int64_t kMostIndexBytes = 64 << 20;

bool AtTop(const std::string& path) { return path.find('/') == std::string::npos; }

absl::StatusOr<std::set<std::string>> IndexedShards(const ModelFolder& folder) {
  ABSL_ASSIGN_OR_RETURN(const std::string text, folder.read(kIndex, kMostIndexBytes));
  const auto index = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (index.is_discarded()) return IndexInvalidError(kIndex, "is not JSON");
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return IndexInvalidError(kIndex, "has no object 'weight_map'");
  }
  std::set<std::string> shards;
  for (const auto& item : index["weight_map"].items()) {
    if (!item.value().is_string()) return IndexInvalidError(kIndex, "names a shard that is not a string");
    shards.insert(item.value().get<std::string>());
  }
  if (shards.empty()) return IndexInvalidError(kIndex, "names no shard");
  return shards;
}

}  // namespace

bool ModelFolder::Has(const std::string& path) const {
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

bool IsCarriedFile(const std::string& path) {
  static constexpr std::string_view kNames[] = {
      "added_tokens.json",
      "chat_template.jinja",
      "chat_template.json",
      "generation_config.json",
      "merges.txt",
      "preprocessor_config.json",
      "processor_config.json",
      "sentencepiece.bpe.model",
      "special_tokens_map.json",
      "spiece.model",
      "tekken.json",
      "tokenizer.json",
      "tokenizer.model",
      "tokenizer.model.v3",
      "tokenizer_config.json",
      "video_preprocessor_config.json",
      "vocab.json",
      "vocab.txt",
  };
  if (path.starts_with(kTemplates)) return path.ends_with(".jinja");
  if (!AtTop(path)) return false;
  if (path.ends_with(".tiktoken")) return true;
  const std::string lower = absl::AsciiStrToLower(path);
  for (const std::string_view legal : {"license", "licence", "copying", "notice", "use_policy"}) {
    if (lower.starts_with(legal)) return true;
  }
  return std::find(std::begin(kNames), std::end(kNames), path) != std::end(kNames);
}

absl::StatusOr<std::vector<std::string>> WeightFiles(const ModelFolder& folder) {
  if (folder.Has(kSingle)) return std::vector<std::string>{kSingle};
  std::vector<std::string> found;
  if (folder.Has(kIndex)) {
    ABSL_ASSIGN_OR_RETURN(const std::set<std::string> shards, IndexedShards(folder));
    for (const std::string& shard : shards) {
      if (!folder.Has(shard)) return ShardMissingError(shard, kIndex);
    }
    found.assign(shards.begin(), shards.end());
    found.push_back(kIndex);
    std::sort(found.begin(), found.end());
    return found;
  }
  for (const std::string& path : folder.paths) {
    if (AtTop(path) && path.ends_with(kWeights)) found.push_back(path);
  }
  if (found.size() == 1) return found;
  return WeightsMissingError(!found.empty());
}

namespace {

void SortByPath(std::vector<SortedFile>& files) {
  std::sort(files.begin(), files.end(), [](const SortedFile& a, const SortedFile& b) { return a.path < b.path; });
}

absl::StatusOr<std::vector<SortedFile>> SortGgufFiles(const ModelFolder& folder) {
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> parts, GgufParts(folder));
  std::vector<SortedFile> files;
  for (const std::string& path : folder.paths) {
    const bool part = std::find(parts.begin(), parts.end(), path) != parts.end();
    const bool own = path == kConfig || IsCarriedFile(path);
    files.push_back({path, part ? FilePart::kWeights : FilePart::kIgnored,
                     part  ? ""
                     : own ? "the GGUF has its own"
                           : std::string(WhyIgnored(path))});
  }
  SortByPath(files);
  return files;
}

}  // namespace

absl::StatusOr<std::vector<SortedFile>> SortModelFiles(const ModelFolder& folder) {
  if (IsGgufFolder(folder)) return SortGgufFiles(folder);
  if (!folder.Has(kConfig)) return ConfigMissingError();
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> weights, WeightFiles(folder));
  const std::set<std::string> code = TokenizerCode(folder);
  const std::set<std::string> own = ModelCode(folder);
  std::vector<SortedFile> files;
  for (const std::string& path : folder.paths) {
    SortedFile& file = files.emplace_back(SortedFile{path, FilePart::kIgnored, ""});
    if (path == kConfig) {
      file.part = FilePart::kConfig;
    } else if (std::binary_search(weights.begin(), weights.end(), path)) {
      file.part = FilePart::kWeights;
    } else if (IsCarriedFile(path) || code.contains(path)) {
      file.part = FilePart::kCarried;
    } else if (own.contains(path)) {
      file.why = "code of the model's own; the artifact loads as the family that config.json names";
    } else {
      file.why = WhyIgnored(path);
    }
  }
  SortByPath(files);
  return files;
}

}  // namespace bitwright
