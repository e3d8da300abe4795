#include "workers/tasks/data_ids.h"

#include <array>
#include <memory>
#include <string_view>

#include "bitwright/v1/tasks.pb.h"
#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/task_names.h"
#include "proto/inputs/model_folder.h"
#include "workers/chat/chat_template.h"
#include "workers/chat/document.h"
#include "workers/tasks/task_errors.h"
#include "workers/tokenizer/ids_lines.h"
#include "workers/tokenizer/text_lines.h"
#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<std::unique_ptr<const Tokenizer>> LoadTokenizer(TaskIo& io) {
  const auto [json, sentencepiece] = std::to_array(kTokenizerFiles);
  const ModelFiles files = io.Files();
  const bool has_json = files.contains(std::string(json)) || !files.contains(std::string(sentencepiece));
  ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(ModelFileName(has_json ? json : sentencepiece)));
  return has_json ? Tokenizer::Load(file->text()) : Tokenizer::LoadSentencePiece(file->text());
}

absl::StatusOr<DataIds> ReadText(const v1::TokenizeParams& params, std::string_view text, TaskIo& io) {
  if (text.empty()) return DataInvalidError("is empty; give text to calibrate and evaluate on");
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
  DataIds data{.documents = 1, .bytes = static_cast<int64_t>(text.size())};
  ABSL_ASSIGN_OR_RETURN(data.ids, tokenizer->Encode(text, params.add_special_tokens()));
  return data;
}

// The text of a file of the model; empty when the model has no such file.
absl::StatusOr<std::string> ModelText(const ModelFiles& files, const std::string& path) {
  const auto file = files.find(path);
  if (file == files.end()) return std::string();
  ABSL_ASSIGN_OR_RETURN(const auto mapped, MappedFile::Open(file->second));
  return std::string(mapped->text());
}

absl::StatusOr<DocumentReader> MakeReader(const TaskIo& io) {
  const ModelFiles files = io.Files();
  ABSL_ASSIGN_OR_RETURN(const std::string config, ModelText(files, "tokenizer_config.json"));
  ABSL_ASSIGN_OR_RETURN(const std::string jinja, ModelText(files, "chat_template.jinja"));
  ABSL_ASSIGN_OR_RETURN(const std::string other, ModelText(files, "chat_template.json"));
  ABSL_ASSIGN_OR_RETURN(ChatSettings settings, ReadChatSettings(config, jinja, other));
  return DocumentReader(std::move(settings));
}

absl::StatusOr<DataIds> ReadDocuments(const v1::TokenizeParams& params, std::string_view text, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
  ABSL_ASSIGN_OR_RETURN(DocumentReader reader, MakeReader(io));
  DataIds data;
  TextLines lines(text);
  while (lines.Next()) {
    ABSL_ASSIGN_OR_RETURN(const DocumentReader::Document document, reader.Read(lines.line(), lines.number()));
    ABSL_ASSIGN_OR_RETURN(const std::vector<int32_t> ids,
                          tokenizer->Encode(document.text, params.add_special_tokens() && !document.is_chat));
    data.ids.insert(data.ids.end(), ids.begin(), ids.end());
    data.bytes += static_cast<int64_t>(document.text.size());
    ++data.documents;
  }
  if (data.documents == 0) return DataInvalidError("has no documents; give one JSON object per line");
  return data;
}

}  // namespace

absl::StatusOr<DataIds> ReadData(const v1::TokenizeParams& params, TaskIo& io) {
  ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(TaskFile::kData));
  const std::string_view text = WithoutByteOrderMark(file->text());
  if (params.kind() == v1::Data::DOCUMENTS_JSONL) return ReadDocuments(params, text, io);
  if (params.kind() != v1::Data::TOKEN_IDS_JSONL) return ReadText(params, text, io);
  DataIds data;
  ABSL_ASSIGN_OR_RETURN(data.ids, ParseIdLines(text, params.window()));
  return data;
}

}  // namespace bitwright::worker
