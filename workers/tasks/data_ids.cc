#include "workers/tasks/data_ids.h"

#include <string>
#include <string_view>

#include "proto/base/status_macros.h"
#include "proto/base/utf8.h"
#include "proto/contract/task_names.h"
#include "workers/chat/chat_template.h"
#include "workers/chat/document.h"
#include "workers/tasks/model_tokenizer.h"
#include "workers/tasks/task_errors.h"
#include "workers/tokenizer/ids_lines.h"
#include "workers/tokenizer/text_lines.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<DataFacts> ReadText(const DataText& data, std::string_view text, TaskIo& io, Tokenizer::IdSink sink) {
  if (text.empty()) return DataInvalidError("is empty; give text to calibrate and evaluate on");
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
  ABSL_RETURN_IF_ERROR(tokenizer->EncodeTo(text, data.add_special_tokens, sink));
  return DataFacts{.documents = 1, .bytes = static_cast<int64_t>(text.size())};
}

// The text of a file of the model; empty when the model has no such file.
absl::StatusOr<std::string> ModelText(const ModelFiles& files, const std::string& path) {
  const auto file = files.find(path);
  if (file == files.end()) return std::string();
  ABSL_ASSIGN_OR_RETURN(const auto mapped, MappedFile::Open(file->second.path));
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

absl::StatusOr<DataFacts> ReadDocuments(const DataText& data, std::string_view text, TaskIo& io,
                                        Tokenizer::IdSink sink) {
  ABSL_ASSIGN_OR_RETURN(const auto tokenizer, LoadTokenizer(io));
  ABSL_ASSIGN_OR_RETURN(DocumentReader reader, MakeReader(io));
  DataFacts facts;
  TextLines lines(text);
  while (lines.Next()) {
    ABSL_ASSIGN_OR_RETURN(const DocumentReader::Document document, reader.Read(lines.line(), lines.number()));
    ABSL_RETURN_IF_ERROR(tokenizer->EncodeTo(document.text, data.add_special_tokens && !document.is_chat, sink));
    facts.bytes += static_cast<int64_t>(document.text.size());
    ++facts.documents;
  }
  if (facts.documents == 0) return DataInvalidError("has no documents; give one JSON object per line");
  return facts;
}

}  // namespace

absl::StatusOr<DataFacts> ReadData(const DataText& data, TaskIo& io, Tokenizer::IdSink sink) {
  ABSL_ASSIGN_OR_RETURN(const auto file, io.Input(data.input));
  const std::string_view text = WithoutByteOrderMark(file->text());
  if (data.kind == v1::Data::DOCUMENTS_JSONL) return ReadDocuments(data, text, io, sink);
  if (data.kind != v1::Data::TOKEN_IDS_JSONL) return ReadText(data, text, io, sink);
  ABSL_RETURN_IF_ERROR(ParseIdLines(text, data.window, sink));
  return DataFacts();
}

}  // namespace bitwright::worker
