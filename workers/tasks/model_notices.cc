#include "workers/tasks/model_notices.h"

#include <algorithm>
#include <set>

#include "proto/base/utf8.h"
#include "proto/contract/notices.h"
#include "proto/inputs/model_code.h"

namespace bitwright::worker {
namespace {

constexpr size_t kMostShown = 6;
constexpr size_t kMostNameBytes = 120;

std::string Count(size_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

void Add(const char* reason, const std::string& message, v1::ModelInfo& info) {
  *info.add_notices() = MakeNotice(reason, message);
}

void AddCode(const ModelFolder& folder, v1::ModelInfo& info) {
  const std::set<std::string> code = ModelCode(folder);
  if (code.empty()) return;
  Add("MODEL_CODE_LEFT_OUT",
      "config.json names code of its own in auto_map (" + NameList({code.begin(), code.end()}) +
          "); the model is taken for " + info.architecture() +
          " as transformers computes it, and the artifact holds neither the code nor the auto_map",
      info);
}

void AddTies(const Model& model, v1::ModelInfo& info) {
  if (!model.tied_by_config()) return;
  if (!model.config().tied_embeddings) {
    Add("HEAD_NOT_TIED",
        "config.json has tie_word_embeddings true, but the checkpoint holds a " + model.config().head.weight +
            " that differs from the embedding; the head of the checkpoint is used, as transformers does, and "
            "config.json of the artifact says "
            "false",
        info);
  } else if (model.embedding() == model.config().head.weight) {
    Add("EMBEDDING_IS_HEAD",
        "the checkpoint holds no embedding; config.json ties it to " + model.embedding() + ", which is used for both",
        info);
  }
}

void AddIndex(const Checkpoint& checkpoint, v1::ModelInfo& info) {
  std::string text;
  if (!checkpoint.absent().empty()) {
    text = "names " + Count(checkpoint.absent().size(), "tensor") +
           " that no shard holds and nothing needs: " + NameList(checkpoint.absent());
  }
  if (!checkpoint.misplaced().empty()) {
    text += (text.empty() ? "" : "; ") + std::string("lacks or misplaces ") +
            Count(checkpoint.misplaced().size(), "tensor") + ": " + NameList(checkpoint.misplaced());
  }
  if (!text.empty()) Add("INDEX_DIFFERS", "the index of the weights " + text, info);
}

void AddLeftovers(const std::vector<std::string>& leftovers, v1::ModelInfo& info) {
  if (leftovers.empty()) return;
  Add("TENSORS_LEFT_OUT",
      "the checkpoint holds " + Count(leftovers.size(), "tensor") + " that " + info.architecture() +
          " does not read; not checked, and not in the artifact: " + NameList(leftovers),
      info);
}

}  // namespace

std::string NameList(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMostShown); ++i) {
    text += (i == 0 ? "" : ", ") + std::string(CutUtf8(names[i], kMostNameBytes));
  }
  if (names.size() > kMostShown) text += " and " + std::to_string(names.size() - kMostShown) + " more";
  return text;
}

void AddFileNotices(const std::vector<SortedFile>& sorted, google::protobuf::RepeatedPtrField<v1::Notice>& notices) {
  std::vector<std::string> left;
  for (const SortedFile& file : sorted) {
    if (file.part == FilePart::kIgnored) left.push_back(file.path + " (" + file.why + ")");
  }
  if (left.empty()) return;
  *notices.Add() = MakeNotice("FILES_LEFT_OUT", Count(left.size(), "file") + " given with the model " +
                                                    (left.size() == 1 ? "is" : "are") +
                                                    " not part of it, and neither read nor counted: " + NameList(left));
}

void AddImportNotice(v1::ModelInfo& info) {
  Add("MODEL_IMPORTED",
      "the model was given as " + info.imported().stored_as() + "; its weights were rewritten once as " + info.dtype() +
          " safetensors, which the job computes with and compares with",
      info);
}

void AddModelNotices(const ModelFolder& folder, const std::vector<SortedFile>& sorted, const Model& model,
                     const std::vector<std::string>& leftovers, v1::ModelInfo& info) {
  AddFileNotices(sorted, *info.mutable_notices());
  AddCode(folder, info);
  AddTies(model, info);
  AddIndex(model.checkpoint(), info);
  AddLeftovers(leftovers, info);
}

}  // namespace bitwright::worker
