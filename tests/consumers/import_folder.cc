// Imports a model as a worker does, in this process. usage: import_folder FILE_OR_DIR OUT
// Writes the plain files into OUT, or one line of JSON: {"reason", "message"}; then the exit code is 1.

#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/tasks.pb.h"
#include "proto/base/errors.h"
#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "workers/base/files.h"
#include "workers/tasks/run_task.h"

namespace bitwright::worker {
namespace {

namespace fs = std::filesystem;

absl::Status Import(const std::string& from, const std::string& out) {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kImport);
  spec.mutable_import();
  std::map<std::string, std::string> paths;
  if (fs::is_regular_file(from)) {
    paths[ModelFileName(fs::path(from).filename().string())] = from;
  } else {
    for (const auto& entry : fs::directory_iterator(from)) {
      if (entry.is_regular_file()) paths[ModelFileName(entry.path().filename().string())] = entry.path().string();
    }
  }
  for (const auto& [name, path] : paths) spec.add_inputs()->set_name(name);
  ThreadPool pool(2);
  TaskContext context;
  context.input_path = [&](const std::string& name) { return paths.contains(name) ? paths.at(name) : std::string(); };
  context.output_dir = out;
  context.pool = &pool;
  context.progress = [](double) {};
  ABSL_ASSIGN_OR_RETURN(const auto outputs, RunTask(spec, context));
  const std::string prefix = ArtifactFileName("");
  for (const TaskOutputFile& output : outputs) {
    if (output.name.starts_with(prefix))
      fs::rename(out + "/" + output.file, out + "/" + output.name.substr(prefix.size()));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::filesystem::create_directories(argv[2]);
  const absl::Status status = bitwright::worker::Import(argv[1], argv[2]);
  if (status.ok()) return 0;
  const nlohmann::json error = {{"reason", bitwright::ErrorReason(status)}, {"message", std::string(status.message())}};
  std::cout << error.dump() << std::endl;
  return 1;
}
