#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "workers/checkpoint/model_files.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {

// All tensors of a model: from model.safetensors; without it from the shards that model.safetensors.index.json names
// (the order in which transformers looks); else from the only *.safetensors file there is. Mapped; thread-safe once
// open.
class Checkpoint {
 public:
  // INVALID_ARGUMENT: any fault of a file (checkpoint_errors.h); index and shards must name the same tensors.
  static absl::StatusOr<Checkpoint> Open(const ModelFiles& files);

  struct Located {
    TensorView view;
    std::string file;  // name within the model, for errors
  };
  const std::map<std::string, Located>& tensors() const { return tensors_; }

  // TENSOR_MISSING, with `role` ("is the weight of the output head") in the message.
  absl::StatusOr<Located> Find(const std::string& name, std::string_view role) const;

  // Names of the weight files, in order.
  std::vector<std::string> weight_files() const;

 private:
  absl::Status OpenShards(const ModelFiles& files, const std::string& index_name);
  absl::Status OpenShard(const ModelFiles& files, const std::string& name);

  std::map<std::string, SafetensorsFile> shards_;
  std::map<std::string, Located> tensors_;
};

}  // namespace bitwright::worker
