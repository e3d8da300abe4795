#include "workers/tasks/target_model.h"

#include <filesystem>

#include "bitwright/v1/models.pb.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/base/files.h"
#include "workers/tasks/task_errors.h"

namespace bitwright::worker {

absl::StatusOr<TargetModel> ReadTargetModel(const ModelFiles& files, const v1::ModelInfo& info,
                                            const std::string& name) {
  TargetModel model{info, name, {}, {}};
  for (const std::string_view path : kReadFiles) {
    const auto file = files.find(std::string(path));
    if (file == files.end()) continue;
    ABSL_ASSIGN_OR_RETURN(model.texts[file->first], ReadFile(file->second.path));
  }
  if (model.Text("config.json") == nullptr) return TaskInputMissingError(ModelFileName("config.json"));
  for (const std::string& path : info.carried_files()) {
    const auto file = files.find(path);
    if (file == files.end()) return TaskInputMissingError(ModelFileName(path));
    std::error_code error;
    model.carried[path] = static_cast<int64_t>(std::filesystem::file_size(file->second.path, error));
    if (error) return TaskInputMissingError(ModelFileName(path));
  }
  return model;
}

}  // namespace bitwright::worker
