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

// A file of the folder that the model does not consist of.
struct IgnoredFile {
  std::string path;  // may hold any bytes
  int64_t size_bytes = 0;
  std::string why;  // for people
};

struct ModelDir {
  std::string path;
  std::vector<ModelFile> files;  // sorted by path
  std::vector<IgnoredFile> ignored;

  int64_t size_bytes() const;     // of `files`
  int64_t ignored_bytes() const;  // of `ignored`
  bool Has(const std::string& file) const;
};

// The files that the model in a Hugging Face folder consists of (proto/inputs says which), and those that lie beside
// them: they are not uploaded, and their names do not matter. Links to files are followed, under the names that the
// links have, as in a snapshot of the hub's cache; links to folders are not; hidden files and folders (".git",
// ".cache") are not even listed. Where `dir` is a file *.gguf, that file with its other parts is the model.
// NOT_FOUND, reason FILE_UNREADABLE: no such folder. INVALID_ARGUMENT: MODEL_DIR_INVALID (not a folder, or one of very
// many files), MODEL_LINK_BROKEN (a link in place of a file of the model leads to none; it is named), the refusals of
// CheckModelFolder and SortModelFiles, and for a file of the model MANIFEST_PATH_INVALID.
absl::StatusOr<ModelDir> ScanModelDir(const std::string& dir);

}  // namespace bitwright::client
