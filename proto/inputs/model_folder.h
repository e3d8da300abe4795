#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
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

// The files that a tokenizer is read from, that which counts first: of the `tokenizers` library, of SentencePiece.
inline constexpr std::string_view kTokenizerFiles[] = {"tokenizer.json", "tokenizer.model"};

// What a file is to the model.
enum class FilePart {
  kConfig,   // config.json
  kWeights,  // the safetensors files that transformers would read, and their index; of a GgufFolder its GGUF
  kCarried,  // goes into an artifact unchanged: tokenizer with its code, chat templates, processors, generation
             // settings, licences
  kIgnored,  // everything else: other copies of the weights, checkpoints of a trainer, texts, the model's own code
};

struct SortedFile {
  std::string path;
  FilePart part = FilePart::kIgnored;
  std::string why;  // of kIgnored, for people: "a second copy of the weights"
};

// The weights that transformers reads, by path: model.safetensors, else model.safetensors.index.json and the shards
// that it names, else the only *.safetensors file at the top. Errors as of SortModelFiles.
absl::StatusOr<std::vector<std::string>> WeightFiles(const ModelFolder& folder);

// Sorts every file of the folder, by path. Never reads weights. Errors of `read`, and MODEL_FILE_MISSING (config.json,
// weights, a shard that the index names), CHECKPOINT_INDEX_INVALID, GGUF_AMBIGUOUS. Call CheckModelFolder first: it
// knows better names for a folder that is no model.
absl::StatusOr<std::vector<SortedFile>> SortModelFiles(const ModelFolder& folder);

// Whether an artifact takes over the file `path` unchanged, by its name alone. Code of tokenizers, which only
// SortModelFiles knows, is not among them.
bool IsCarriedFile(const std::string& path);

}  // namespace bitwright
