#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace bitwright::client {

struct ModelFile {
  std::string path;        // in the manifest: relative to the folder, '/' separated
  std::string local_path;  // to open it
  int64_t size_bytes = 0;
};

// The files of a Hugging Face model folder that belong to an upload, sorted by path: every regular file in it and below
// (links to files are followed, links to folders are not), except
//  - hidden files and folders (".git", ".cache");
//  - weights in other forms, which a folder often holds beside the safetensors: *.bin, *.pt, *.pth, *.gguf, original/;
//  - remains of an interrupted download: *.part.
// NOT_FOUND, reason FILE_UNREADABLE: no such folder. INVALID_ARGUMENT: MODEL_DIR_INVALID (not a folder, no config.json,
// no *.safetensors, too many files; the message says what to do), MANIFEST_PATH_INVALID.
absl::StatusOr<std::vector<ModelFile>> ScanModelDir(const std::string& dir);

}  // namespace bitwright::client
