#include "workers/checkpoint/folder_files.h"

#include "proto/base/status_macros.h"
#include "workers/base/files.h"
#include "workers/checkpoint/checkpoint_errors.h"

namespace bitwright::worker {

ModelFolder FolderOf(const ModelFiles& files) {
  ModelFolder folder;
  for (const auto& [name, path] : files) folder.paths.push_back(name);
  folder.read = [files](const std::string& name, int64_t most) -> absl::StatusOr<std::string> {
    const auto found = files.find(name);
    if (found == files.end()) return ModelFileMissingError(name, "another file names it");
    ABSL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(found->second));
    return std::string(file->text().substr(0, static_cast<size_t>(most)));
  };
  return folder;
}

}  // namespace bitwright::worker
