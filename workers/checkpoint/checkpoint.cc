#include "workers/checkpoint/checkpoint.h"

#include <set>

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/strict_json.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

constexpr char kIndexName[] = "model.safetensors.index.json";
constexpr char kSingleName[] = "model.safetensors";

// tensor → shard, as the index says.
absl::StatusOr<std::map<std::string, std::string>> ReadIndex(const std::string& path) {
  ABSL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path));
  ABSL_ASSIGN_OR_RETURN(const json index, ParseStrictJson(file->text(), kIndexName));
  if (!index.is_object() || !index.contains("weight_map") || !index["weight_map"].is_object()) {
    return JsonInvalidError(kIndexName, "it has no object 'weight_map'");
  }
  std::map<std::string, std::string> map;
  for (const auto& item : index["weight_map"].items()) {
    if (!item.value().is_string()) {
      return CheckpointIndexMismatchError(kIndexName, item.key(), "its shard is not a string");
    }
    map.emplace(item.key(), item.value().get<std::string>());
  }
  return map;
}

}  // namespace

absl::StatusOr<Checkpoint> Checkpoint::Open(const ModelFiles& files) {
  Checkpoint checkpoint;
  if (files.contains(kIndexName) && !files.contains(kSingleName)) {
    ABSL_RETURN_IF_ERROR(checkpoint.OpenShards(files, kIndexName));
    return checkpoint;
  }
  std::string name = kSingleName;
  if (!files.contains(name)) {
    std::vector<std::string> found;
    for (const auto& [file, path] : files) {
      if (file.ends_with(".safetensors")) found.push_back(file);
    }
    if (found.size() != 1) {
      return ModelFileMissingError(kSingleName,
                                   found.empty() ? "a model needs weights as safetensors"
                                                 : "several *.safetensors files need a model.safetensors.index.json");
    }
    name = found.front();
  }
  ABSL_RETURN_IF_ERROR(checkpoint.OpenShard(files, name));
  return checkpoint;
}

absl::Status Checkpoint::OpenShards(const ModelFiles& files, const std::string& index_name) {
  ABSL_ASSIGN_OR_RETURN(const auto map, ReadIndex(files.at(index_name)));
  std::set<std::string> names;
  for (const auto& [tensor, shard] : map) names.insert(shard);
  for (const std::string& name : names) {
    if (!files.contains(name)) return ModelFileMissingError(name, "the index names it as a shard");
    ABSL_RETURN_IF_ERROR(OpenShard(files, name));
  }
  for (const auto& [tensor, shard] : map) {
    const auto found = tensors_.find(tensor);
    if (found == tensors_.end() || found->second.file != shard) {
      return CheckpointIndexMismatchError(index_name, tensor, "shard '" + shard + "' does not hold it");
    }
  }
  for (const auto& [tensor, located] : tensors_) {
    if (!map.contains(tensor)) return CheckpointIndexMismatchError(located.file, tensor, "the index lacks it");
  }
  return absl::OkStatus();
}

absl::Status Checkpoint::OpenShard(const ModelFiles& files, const std::string& name) {
  ABSL_ASSIGN_OR_RETURN(SafetensorsFile shard, SafetensorsFile::Open(files.at(name), name));
  for (const auto& [tensor, view] : shard.tensors()) {
    if (!tensors_.emplace(tensor, Located{view, name}).second) {
      return CheckpointIndexMismatchError(name, tensor, "another shard holds it, too");
    }
  }
  shards_.emplace(name, std::move(shard));
  return absl::OkStatus();
}

absl::StatusOr<Checkpoint::Located> Checkpoint::Find(const std::string& name, std::string_view role) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return TensorMissingError(name, role);
  return found->second;
}

std::vector<std::string> Checkpoint::weight_files() const {
  std::vector<std::string> names;
  for (const auto& [name, shard] : shards_) names.push_back(name);
  return names;
}

}  // namespace bitwright::worker
