#include "workers/checkpoint/folder_files.h"

#include <algorithm>

#include "proto/base/status_macros.h"
#include "workers/base/files.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {

absl::StatusOr<std::shared_ptr<const MappedFile>> MapWhole(const ModelFile& file, std::string_view name) {
  if (!file.pieces.empty()) return BytesNotGivenError(name, "all of it");
  return file.Map();
}

ModelFolder FolderOf(const ModelFiles& files) {
  ModelFolder folder;
  for (const auto& [name, file] : files) folder.paths.push_back(name);
  folder.read = [files](const std::string& name, int64_t most) -> absl::StatusOr<std::string> {
    const auto found = files.find(name);
    if (found == files.end()) return ModelFileMissingError(name, "another file names it");
    ABSL_ASSIGN_OR_RETURN(const auto file, found->second.Map());
    const auto begin = file->bytes().first(std::min(file->bytes().size(), static_cast<size_t>(most)));
    if (!file->Holds(begin)) return BytesNotGivenError(name, "its beginning");
    return std::string(file->text().substr(0, begin.size()));
  };
  return folder;
}

}  // namespace bitwright::worker
