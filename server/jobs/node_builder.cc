#include "server/jobs/node_builder.h"

#include <algorithm>

#include "proto/contract/task_names.h"

namespace bitwright::server {
namespace {

constexpr std::string_view kWeights = ".safetensors";
constexpr std::string_view kIndex = ".safetensors.index.json";
// Seconds and little memory, whatever the model: a lane of its own runs them beside long ones.
constexpr std::string_view kSmallKinds[] = {TaskKind::kInspect, TaskKind::kTokenize, TaskKind::kAllocate,
                                            TaskKind::kSelect, TaskKind::kReport};

bool Wanted(const std::string& path, ModelFiles which, const v1::Model& model) {
  switch (which) {
    case ModelFiles::kNone:
      return false;
    case ModelFiles::kAll:
      return true;
    case ModelFiles::kNumeric:
      return path == "config.json" || path.ends_with(kWeights) || path.ends_with(kIndex);
    case ModelFiles::kTokenizer:
      return path == model.info().tokenizer_path();
    case ModelFiles::kSmall:
      return !path.ends_with(kWeights);
  }
  return false;
}

// The name of the field of the params oneof that is set: TaskSpec.kind.
std::string KindOf(const v1::TaskSpec& spec) {
  const auto* oneof = v1::TaskSpec::descriptor()->FindOneofByName("params");
  const auto* field = v1::TaskSpec::GetReflection()->GetOneofFieldDescriptor(spec, oneof);
  return field == nullptr ? std::string() : field->name();
}

}  // namespace

NodeBuilder& NodeBuilder::Files(const v1::Model& model, ModelFiles which) {
  for (const auto& file : model.manifest().files()) {
    if (Wanted(file.path(), which, model)) Input(ModelFileName(file.path()), file.digest());
  }
  return *this;
}

NodeBuilder& NodeBuilder::Files(const v1::Manifest& manifest) {
  for (const auto& file : manifest.files()) Input(ModelFileName(file.path()), file.digest());
  return *this;
}

NodeBuilder& NodeBuilder::Input(std::string name, const v1::Digest& digest) {
  auto* input = node_.spec.add_inputs();
  input->set_name(std::move(name));
  *input->mutable_digest() = digest;
  return *this;
}

NodeBuilder& NodeBuilder::Link(std::string input, std::string from, std::string output) {
  node_.links.push_back({std::move(input), std::move(from), std::move(output)});
  return *this;
}

NodeBuilder& NodeBuilder::Needs(int64_t memory_bytes, double flops) {
  node_.memory_bytes = memory_bytes;
  node_.cost_flops = flops;
  return *this;
}

NodeBuilder& NodeBuilder::Numeric() {
  node_.numeric = true;
  return *this;
}

TaskNode NodeBuilder::Build() {
  node_.spec.set_kind(KindOf(node_.spec));
  node_.small = std::find(std::begin(kSmallKinds), std::end(kSmallKinds), node_.spec.kind()) != std::end(kSmallKinds);
  auto* inputs = node_.spec.mutable_inputs();
  std::sort(inputs->begin(), inputs->end(),
            [](const v1::TaskInput& a, const v1::TaskInput& b) { return a.name() < b.name(); });
  return std::move(node_);
}

}  // namespace bitwright::server
