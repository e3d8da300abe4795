#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright {

// A model's folder as its names and first bytes show it: on a disk before it is uploaded, or the files of a manifest.
struct ModelFolder {
  std::vector<std::string> paths;  // of all files: relative, '/' separated, in any order
  // At most `most` bytes from the start of one of them.
  std::function<absl::StatusOr<std::string>(const std::string& path, int64_t most)> read;

  bool Has(const std::string& path) const;
};

// What a file is to the model.
enum class FilePart {
  kConfig,   // config.json
  kWeights,  // the safetensors files that transformers would read, and their index
  kCarried,  // goes into an artifact unchanged: tokenizer, chat templates, processors, generation settings, licences
  kIgnored,  // everything else: other copies of the weights, checkpoints of a trainer, texts, code that is not asked
             // for
};

struct SortedFile {
  std::string path;
  FilePart part = FilePart::kIgnored;
  std::string why;  // of kIgnored, for people: "a second copy of the weights"
};

// Sorts every file of the folder, by path. Weights are those that transformers reads: model.safetensors, else the
// shards that model.safetensors.index.json names, else the only *.safetensors file at the top. Never reads weights.
// Errors of `read`, and MODEL_FILE_MISSING, CHECKPOINT_INDEX_INVALID.
absl::StatusOr<std::vector<SortedFile>> SortModelFiles(const ModelFolder& folder);

// Whether an artifact takes over the file `path` of a model unchanged.
bool IsCarriedFile(const std::string& path);

}  // namespace bitwright
