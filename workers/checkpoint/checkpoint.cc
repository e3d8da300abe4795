#include "workers/checkpoint/checkpoint.h"

#include "proto/base/status_macros.h"
#include "workers/checkpoint/checkpoint_errors.h"
#include "workers/checkpoint/folder_files.h"
#include "workers/checkpoint/strict_json.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

constexpr char kIndexName[] = "model.safetensors.index.json";

// tensor → shard, as the index says.
absl::StatusOr<std::map<std::string, std::string>> ReadIndex(const ModelFile& index_file) {
  ABSL_ASSIGN_OR_RETURN(const auto file, MapWhole(index_file, kIndexName));
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
  ABSL_ASSIGN_OR_RETURN(const std::vector<std::string> weights, WeightFiles(FolderOf(files)));
  Checkpoint checkpoint;
  bool indexed = false;
  for (const std::string& name : weights) {
    indexed = indexed || name == kIndexName;
    if (name != kIndexName) ABSL_RETURN_IF_ERROR(checkpoint.OpenShard(files, name));
  }
  if (indexed) ABSL_RETURN_IF_ERROR(checkpoint.CompareWithIndex(files.at(kIndexName)));
  return checkpoint;
}

absl::Status Checkpoint::CompareWithIndex(const ModelFile& file) {
  ABSL_ASSIGN_OR_RETURN(const auto map, ReadIndex(file));
  for (const auto& [tensor, shard] : map) {
    if (!tensors_.contains(tensor)) absent_.push_back(tensor);
  }
  for (const auto& [tensor, located] : tensors_) {
    const auto listed = map.find(tensor);
    if (listed == map.end() || listed->second != located.file) misplaced_.push_back(tensor);
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

bool Checkpoint::Holds(const std::string& name) const {
  const Located& tensor = tensors_.at(name);
  return shards_.at(tensor.file).Holds(tensor.view.bytes);
}

void Checkpoint::WillNeed(const std::string& name) const {
  const Located& tensor = tensors_.at(name);
  shards_.at(tensor.file).WillNeed(tensor.view.bytes);
}

void Checkpoint::Release(const std::string& name, size_t first, size_t count) const {
  const Located& tensor = tensors_.at(name);
  shards_.at(tensor.file).Release(tensor.view.bytes.subspan(first, count));
}

}  // namespace bitwright::worker
