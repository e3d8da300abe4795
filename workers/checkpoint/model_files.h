#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "workers/base/files.h"

namespace bitwright::worker {

// A file of a model on this machine: whole at `path` or, where there are pieces, these of it.
struct ModelFile {
  ModelFile() = default;
  ModelFile(std::string whole) : path(std::move(whole)) {}  // NOLINT(google-explicit-constructor): most are whole

  std::string path;
  size_t size_bytes = 0;  // with pieces
  std::vector<MappedPiece> pieces;

  // Errors of MappedFile.
  absl::StatusOr<std::shared_ptr<const MappedFile>> Map() const {
    return pieces.empty() ? MappedFile::Open(path) : MappedFile::OpenPieces(size_bytes, pieces);
  }
};

// Name within the model → file. Names are checked manifest paths.
using ModelFiles = std::map<std::string, ModelFile>;

}  // namespace bitwright::worker
