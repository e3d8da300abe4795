#include "workers/tasks/model_tokenizer.h"

#include <array>
#include <string>

#include "proto/base/status_macros.h"
#include "proto/contract/task_names.h"
#include "proto/inputs/model_folder.h"

namespace bitwright::worker {

absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(TaskIo& io) {
  const auto [json, sentencepiece] = std::to_array(kTokenizerFiles);
  const ModelFiles files = io.Files();
  const bool has_json = files.contains(std::string(json)) || !files.contains(std::string(sentencepiece));
  ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(ModelFileName(has_json ? json : sentencepiece)));
  return has_json ? Tokenizer::Load(file->text()) : Tokenizer::LoadSentencePiece(file->text());
}

}  // namespace bitwright::worker
