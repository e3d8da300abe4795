#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "workers/checkpoint/model_files.h"
#include "workers/checkpoint/safetensors.h"

namespace bitwright::worker {

// All tensors of a model, from the files that WeightFiles (proto/inputs/model_folder.h) picks. Mapped; thread-safe once
// open. As for transformers, what the shards hold counts, and an index only says which shards there are: where it
// names other tensors or other places, the checkpoint opens and says so.
class Checkpoint {
 public:
  // INVALID_ARGUMENT: any fault of a file (checkpoint_errors.h); a tensor that two shards hold.
  static absl::StatusOr<Checkpoint> Open(const ModelFiles& files);

  struct Located {
    TensorView view;
    std::string file;  // name within the model, for errors
  };
  const std::map<std::string, Located>& tensors() const { return tensors_; }

  // TENSOR_MISSING, with `role` ("is the weight of the output head") in the message.
  absl::StatusOr<Located> Find(const std::string& name, std::string_view role) const;

  // Whether all bytes of a tensor, which must be there, may be read (MappedFile).
  bool Holds(const std::string& name) const;

  // Advice for a tensor, which must be there: that it will be read soon; that bytes [first, first + count) of it have
  // been read (MappedFile).
  void WillNeed(const std::string& name) const;
  void Release(const std::string& name, size_t first, size_t count) const;

  // Tensors that the index names and no shard holds, and those that the index lacks or places elsewhere; by name.
  const std::vector<std::string>& absent() const { return absent_; }
  const std::vector<std::string>& misplaced() const { return misplaced_; }

  // The weight files, by name within the model.
  const std::map<std::string, SafetensorsFile>& shards() const { return shards_; }

 private:
  absl::Status CompareWithIndex(const ModelFile& file);
  absl::Status OpenShard(const ModelFiles& files, const std::string& name);

  std::map<std::string, SafetensorsFile> shards_;
  std::map<std::string, Located> tensors_;
  std::vector<std::string> absent_, misplaced_;
};

}  // namespace bitwright::worker
