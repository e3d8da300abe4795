// Inspects model folders as a worker does, in this process: usage: inspect_folder DIR ...
// One line of JSON for each: {"info": ModelInfo} or {"error": {"reason", "message", "metadata"}}.

#include <google/protobuf/util/json_util.h>

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

using nlohmann::json;

// The ModelInfo of a folder, units and tensors left out.
absl::StatusOr<json> Inspect(const std::string& dir, const std::string& out, ThreadPool& pool) {
  v1::TaskSpec spec;
  spec.set_kind(TaskKind::kInspect);
  spec.mutable_inspect();
  std::map<std::string, std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = ModelFileName(std::filesystem::relative(entry.path(), dir).string());
    paths[name] = entry.path().string();
  }
  for (const auto& [name, path] : paths) spec.add_inputs()->set_name(name);
  TaskContext context;
  context.input_path = [&](const std::string& name) { return paths.contains(name) ? paths.at(name) : std::string(); };
  context.output_dir = out;
  context.pool = &pool;
  context.progress = [](double) {};
  ABSL_ASSIGN_OR_RETURN(const auto outputs, RunTask(spec, context));
  ABSL_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(out + "/" + outputs.front().file));
  v1::ModelInfo info;
  info.ParseFromString(bytes);
  info.clear_units();
  info.clear_pieces();
  std::string text;
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  const auto printed = google::protobuf::util::MessageToJsonString(info, &text, options);
  if (!printed.ok()) return json();
  return json::parse(text, nullptr, /*allow_exceptions=*/false);
}

json Answer(const absl::StatusOr<json>& info) {
  if (info.ok()) return {{"info", *info}};
  const auto detail = GetErrorDetail(info.status());
  json error = {{"reason", ErrorReason(info.status())}, {"message", std::string(info.status().message())}};
  if (detail) error["metadata"] = detail->metadata;
  return {{"error", error}};
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  bitwright::worker::ThreadPool pool(2);
  for (int i = 1; i < argc; ++i) {
    std::string out = (std::filesystem::temp_directory_path() / "bitwright-inspect-XXXXXX").string();
    if (::mkdtemp(out.data()) == nullptr) return 1;
    std::cout << bitwright::worker::Answer(bitwright::worker::Inspect(argv[i], out, pool)).dump() << std::endl;
    std::filesystem::remove_all(out);
  }
  return 0;
}
