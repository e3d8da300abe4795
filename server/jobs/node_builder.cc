#include "server/jobs/node_builder.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "proto/contract/model_parts.h"
#include "proto/contract/task_names.h"

namespace bitwright::server {
namespace {

// Seconds and little memory, whatever the model: a lane of its own runs them beside long ones.
constexpr std::string_view kSmallKinds[] = {TaskKind::kInspect,  TaskKind::kTokenize, TaskKind::kQuestions,
                                            TaskKind::kAllocate, TaskKind::kChoose,   TaskKind::kProbe,
                                            TaskKind::kSelect,   TaskKind::kGrade,    TaskKind::kReport};

// The files of a model by what ModelInfo says of them.
class FileParts {
 public:
  explicit FileParts(const v1::ModelInfo& info)
      : tokenizer_(info.tokenizer_path()),
        files_(info.files().begin(), info.files().end()),
        carried_(info.carried_files().begin(), info.carried_files().end()) {}

  bool Wanted(const std::string& path, ModelFiles which) const {
    if (!files_.contains(path)) return false;
    const bool carried = carried_.contains(path);
    switch (which) {
      case ModelFiles::kNone:
        return false;
      case ModelFiles::kAll:
        return true;
      case ModelFiles::kNumeric:
        return !carried;
      case ModelFiles::kTokenizer:
        return path == tokenizer_;
      case ModelFiles::kChat:
        return path == tokenizer_ || std::find(std::begin(kChat), std::end(kChat), path) != std::end(kChat);
      case ModelFiles::kCarried:
        return carried || path == "config.json";
    }
    return false;
  }

 private:
  static constexpr std::string_view kChat[] = {"chat_template.jinja", "chat_template.json", "tokenizer_config.json"};

  std::string tokenizer_;
  std::set<std::string> files_, carried_;
};

// Of two parts it is there twice. Two that are not the same may begin in one page.
bool IsSame(const v1::FilePiece& a, const v1::FilePiece& b) {
  return a.offset() == b.offset() && a.digest().sha256() == b.digest().sha256();
}

// The name of the field of the params oneof that is set: TaskSpec.kind.
std::string KindOf(const v1::TaskSpec& spec) {
  const auto* oneof = v1::TaskSpec::descriptor()->FindOneofByName("params");
  const auto* field = v1::TaskSpec::GetReflection()->GetOneofFieldDescriptor(spec, oneof);
  return field == nullptr ? std::string() : field->name();
}

}  // namespace

ModelInputs::ModelInputs(const v1::Model& model) : info_(model.info()) {
  const FileParts parts(model.info());
  for (const auto& file : ComputedFiles(model).files()) {
    for (size_t use = 0; use < kUses; ++use) {
      if (!parts.Wanted(file.path(), static_cast<ModelFiles>(use))) continue;
      v1::TaskInput& input = by_use_[use].emplace_back();
      input.set_name(ModelFileName(file.path()));
      *input.mutable_digest() = file.digest();
    }
  }
}

void ModelInputs::NamePieces(v1::TaskSpec& spec) const {
  std::map<std::string_view, v1::TaskInput*> inputs;
  for (v1::TaskInput& input : *spec.mutable_inputs()) inputs[input.name()] = &input;
  std::vector<v1::TaskInput*> files;  // as ModelInfo.files; null: no input
  for (const std::string& path : info_.files()) {
    const auto found = inputs.find(ModelFileName(path));
    files.push_back(found == inputs.end() ? nullptr : found->second);
  }
  const PartsRead read = PartsReadBy(spec, info_.blocks());
  for (const v1::ModelPiece& piece : info_.pieces()) {
    if (piece.file() < 0 || piece.file() >= info_.files_size()) continue;
    v1::TaskInput* input = files[static_cast<size_t>(piece.file())];
    if (input == nullptr || !read.Has({piece.part(), piece.block()})) continue;
    const int named = input->pieces_size();
    if (named == 0 || !IsSame(input->pieces(named - 1), piece.piece())) *input->add_pieces() = piece.piece();
  }
}

NodeBuilder& NodeBuilder::Files(const ModelInputs& model, ModelFiles which) {
  if (detail_ == NodeDetail::kSize) return *this;
  model_ = &model;
  for (const v1::TaskInput& input : model.Of(which)) *node_.spec.add_inputs() = input;
  return *this;
}

NodeBuilder& NodeBuilder::Files(const v1::Manifest& manifest) {
  for (const auto& file : manifest.files()) Input(ModelFileName(file.path()), file.digest());
  return *this;
}

NodeBuilder& NodeBuilder::Input(std::string name, const v1::Digest& digest) {
  if (detail_ == NodeDetail::kSize) return *this;
  auto* input = node_.spec.add_inputs();
  input->set_name(std::move(name));
  *input->mutable_digest() = digest;
  return *this;
}

NodeBuilder& NodeBuilder::Link(std::string input, std::string from, std::string output) {
  if (detail_ == NodeDetail::kSize) return *this;
  node_.links.push_back({std::move(input), std::move(from), std::move(output)});
  return *this;
}

NodeBuilder& NodeBuilder::Needs(LiveSet memory, double flops) {
  node_.memory = memory;
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
  if (model_ != nullptr) model_->NamePieces(node_.spec);
  return std::move(node_);
}

}  // namespace bitwright::server
